"""Categories: the tree, small enough to be cached whole by the query side."""

from __future__ import annotations

from mongoengine import DateTimeField, Document, EmbeddedDocument, EmbeddedDocumentField, IntField, StringField


class CategorySection(EmbeddedDocument):
    version = IntField(required=True)
    name = StringField(required=True)
    slug = StringField(required=True)
    parent_id = StringField()
    updated_at = DateTimeField()


class CategoryDocument(Document):
    """Key: category id."""

    projection = "categories"

    id = StringField(primary_key=True)
    category = EmbeddedDocumentField(CategorySection)

    meta = {"auto_create_index": False, "indexes": ["category.slug"]}
