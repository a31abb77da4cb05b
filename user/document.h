/* SPDX-License-Identifier: GPL-2.0-only */
/* A YAML file, in memory. Whoever looks at a node says so by document_at(): errors recorded from then on begin with FILE:LINE:COLUMN. */
#ifndef MPB_DOCUMENT_H
#define MPB_DOCUMENT_H

#include <yaml.h>

#define DOCUMENT_MAX (1 << 20) /* bytes of a file */

struct document {
	const char *file;
	yaml_document_t yaml;
};

int document_read(const char *file, struct document *d); /* "-": stdin */
void document_free(struct document *d);

/* NULL for an empty file. */
yaml_node_t *document_root(struct document *d);

void document_at(const struct document *d, const yaml_node_t *node);

/* Calls each() for the pairs of a mapping, or with key NULL for the entries of a sequence, having said where; stops at the first non-zero. A key twice, or
 * a node of another kind, is an error. */
typedef int document_pair(const char *key, yaml_node_t *value, void *arg);
int document_pairs(struct document *d, yaml_node_t *map, document_pair *each, void *arg);
int document_entries(struct document *d, yaml_node_t *list, document_pair *each, void *arg);

/* The text of a scalar; NULL, and an error, for another kind of node, an empty text or one with a NUL. */
const char *document_text(struct document *d, const yaml_node_t *node);

#endif
