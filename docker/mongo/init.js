// Runs in mongosh as root, at every start of the composition: makes the replica set and ACME's users, each once.
// Projectors write documents and bookkeeping; query hosts only read; alerts read, and write
// who was told and how lag has been; the admin reads, and asks the projectors through letters, requests and pointers.
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
const told = { resource: { db: "acme", collection: "projection_alerts" }, actions: ["find", "insert", "update", "remove"] };
const sampled = { resource: { db: "acme", collection: "projection_lag_history" }, actions: ["find", "insert", "update", "createIndex"] };
if (acme.getRole("acme_alerts") === null) {
  acme.createRole({ role: "acme_alerts", privileges: [told, sampled], roles: [{ role: "read", db: "acme" }] });
}
const asked = [
  ["projection_requests", ["insert", "update", "remove"]],
  ["projection_dead_letters", ["update"]],
  ["projection_pointers", ["update"]],
].map(([collection, actions]) => ({ resource: { db: "acme", collection }, actions }));
if (acme.getRole("acme_admin") === null) {
  acme.createRole({ role: "acme_admin", privileges: asked, roles: [{ role: "read", db: "acme" }] });
}
const users = [
  { user: "acme_projector", pwd: secret("MONGO_PROJECTOR_PASSWORD"), roles: [{ role: "readWrite", db: "acme" }] },
  { user: "acme_query", pwd: secret("MONGO_QUERY_PASSWORD"), roles: [{ role: "read", db: "acme" }] },
  { user: "acme_alerts", pwd: secret("MONGO_ALERTS_PASSWORD"), roles: [{ role: "acme_alerts", db: "acme" }] },
  { user: "acme_admin", pwd: secret("MONGO_ADMIN_PASSWORD"), roles: [{ role: "acme_admin", db: "acme" }] },
];
for (const user of users) {
  if (acme.getUser(user.user) === null) acme.createUser(user);
}
