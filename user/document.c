/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"
#include "err.h"

static int slurp(const char *file, unsigned char **bytes, size_t *size)
{
	FILE *f = strcmp(file, "-") ? fopen(file, "re") : stdin;
	int err = 0;

	if (!f)
		return err_fail(errno, file, "cannot open: %s", strerror(errno));
	*bytes = malloc(DOCUMENT_MAX);
	*size = *bytes ? fread(*bytes, 1, DOCUMENT_MAX, f) : 0;
	if (!*bytes)
		err = err_fail(ENOMEM, file, "out of memory");
	else if (ferror(f))
		err = err_fail(errno, file, "cannot read: %s", strerror(errno));
	else if (*size == DOCUMENT_MAX)
		err = err_fail(EFBIG, file, "larger than %d bytes", DOCUMENT_MAX - 1);
	if (f != stdin)
		fclose(f);
	return err;
}

int document_read(const char *file, struct document *d)
{
	unsigned char *bytes = NULL;
	yaml_document_t more;
	yaml_parser_t parser;
	size_t size = 0;
	int err;

	memset(d, 0, sizeof(*d));
	d->file = file;
	err = slurp(file, &bytes, &size);
	if (err)
		goto out;
	if (!yaml_parser_initialize(&parser)) {
		err = err_fail(ENOMEM, file, "out of memory");
		goto out;
	}
	yaml_parser_set_input_string(&parser, bytes, size);
	if (!yaml_parser_load(&parser, &d->yaml)) {
		err_where("%s:%zu:%zu", file, parser.problem_mark.line + 1, parser.problem_mark.column + 1);
		err = err_fail(EINVAL, "not YAML", "%s", parser.problem ? parser.problem : "out of memory");
		memset(&d->yaml, 0, sizeof(d->yaml)); /* the parser has freed it */
	} else if (yaml_parser_load(&parser, &more)) {
		if (yaml_document_get_root_node(&more))
			err = err_fail(EINVAL, file, "holds more than one document");
		yaml_document_delete(&more);
	}
	yaml_parser_delete(&parser);
out:
	free(bytes);
	return err;
}

void document_free(struct document *d)
{
	yaml_document_delete(&d->yaml);
	memset(d, 0, sizeof(*d));
}

yaml_node_t *document_root(struct document *d)
{
	return yaml_document_get_root_node(&d->yaml);
}

void document_at(const struct document *d, const yaml_node_t *node)
{
	if (node)
		err_where("%s:%zu:%zu", d->file, node->start_mark.line + 1, node->start_mark.column + 1);
	else
		err_where("%s", d->file);
}

const char *document_text(struct document *d, const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	document_at(d, node);
	if (node->type == YAML_SCALAR_NODE && text[0] && strlen(text) == node->data.scalar.length)
		return text;
	err_usage("value", node->type == YAML_SCALAR_NODE ? "is empty" : "must be a plain value");
	return NULL;
}

int document_pairs(struct document *d, yaml_node_t *map, document_pair *each, void *arg)
{
	const char *key, *other;
	int err = 0;

	document_at(d, map);
	if (map->type != YAML_MAPPING_NODE)
		return err_usage("value", "must be a mapping: KEY: VALUE");
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; !err && p < map->data.mapping.pairs.top; p++) {
		key = document_text(d, yaml_document_get_node(&d->yaml, p->key));
		if (!key)
			return -EINVAL;
		for (yaml_node_pair_t *q = map->data.mapping.pairs.start; q < p; q++) {
			other = (const char *)yaml_document_get_node(&d->yaml, q->key)->data.scalar.value;
			if (!strcmp(key, other))
				return err_usage(key, "given twice");
		}
		err = each(key, yaml_document_get_node(&d->yaml, p->value), arg);
	}
	return err;
}

int document_entries(struct document *d, yaml_node_t *list, document_pair *each, void *arg)
{
	int err = 0;

	document_at(d, list);
	if (list->type != YAML_SEQUENCE_NODE)
		return err_usage("value", "must be a list");
	for (yaml_node_item_t *i = list->data.sequence.items.start; !err && i < list->data.sequence.items.top; i++) {
		yaml_node_t *node = yaml_document_get_node(&d->yaml, *i);

		document_at(d, node);
		err = each(NULL, node, arg);
	}
	return err;
}
