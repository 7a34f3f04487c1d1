// Runs in mongosh as root, at every start of the composition: makes the replica set and ACME's users, each once.
// Projectors write documents and bookkeeping; query hosts only read; Celery's tasks read, and write who was told of what,
// how lag has been and what verifications have found; the admin reads, and asks the projectors through letters, requests
// and pointers.
const fs = require("fs");
const secret = (name) => fs.readFileSync(`/run/secrets/${name}`, "utf8").trim();

try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
while (!db.hello().isWritablePrimary) sleep(200);

const acme = db.getSiblingDB("acme");

// Besides reading everything; one of an earlier release gets what this one needs.
function hasRole(role, privileges) {
  const known = acme.getRole(role) !== null;
  const change = { privileges, roles: [{ role: "read", db: "acme" }] };
  if (known) acme.updateRole(role, change);
  else acme.createRole({ role, ...change });
}

const told = { resource: { db: "acme", collection: "projection_alerts" }, actions: ["find", "insert", "update", "remove"] };
const sampled = { resource: { db: "acme", collection: "projection_lag_history" }, actions: ["find", "insert", "update", "createIndex"] };
const verified = { resource: { db: "acme", collection: "projection_verifications" }, actions: ["find", "insert", "update"] };
hasRole("acme_alerts", [told, sampled, verified]);
const asked = [
  ["projection_requests", ["insert", "update", "remove"]],
  ["projection_dead_letters", ["update"]],
  ["projection_pointers", ["update"]],
].map(([collection, actions]) => ({ resource: { db: "acme", collection }, actions }));
hasRole("acme_admin", asked);
const users = [
  { user: "acme_projector", pwd: secret("MONGO_PROJECTOR_PASSWORD"), roles: [{ role: "readWrite", db: "acme" }] },
  { user: "acme_query", pwd: secret("MONGO_QUERY_PASSWORD"), roles: [{ role: "read", db: "acme" }] },
  { user: "acme_alerts", pwd: secret("MONGO_ALERTS_PASSWORD"), roles: [{ role: "acme_alerts", db: "acme" }] },
  { user: "acme_admin", pwd: secret("MONGO_ADMIN_PASSWORD"), roles: [{ role: "acme_admin", db: "acme" }] },
];
for (const user of users) {
  if (acme.getUser(user.user) === null) acme.createUser(user);
}
