/* SPDX-License-Identifier: GPL-2.0-only */
#include <langinfo.h>
#include <string.h>
#include "history.h"

static struct history_path *path_of(struct history *h, const char *dev)
{
	for (int i = 0; i < h->n; i++)
		if (!strcmp(h->path[i].dev, dev))
			return &h->path[i];
	if (h->n == HISTORY_PATHS)
		return NULL;
	strcpy(h->path[h->n].dev, dev);
	return &h->path[h->n++];
}

void history_add(struct history *h, const struct conns *c)
{
	double span = (c->now_ns - c->since_ns) / 1e9;

	for (int i = 0; i < h->n; i++) {
		struct history_path *p = &h->path[i];

		memmove(p->bits, p->bits + 1, (HISTORY - 1) * sizeof(p->bits[0]));
		memmove(p->rtt_us, p->rtt_us + 1, (HISTORY - 1) * sizeof(p->rtt_us[0]));
		p->bits[HISTORY - 1] = p->rtt_us[HISTORY - 1] = 0;
		p->subflows = 0;
	}
	for (int i = 0; i < c->n; i++) {
		for (int k = 0; k < c->list[i].nsubflows; k++) {
			const struct subflow_view *v = &c->list[i].subflows[k];
			struct history_path *p = path_of(h, v->dev);

			if (!p)
				continue;
			p->bits[HISTORY - 1] += (v->since.sent + v->since.received) * 8 / span;
			p->rtt_us[HISTORY - 1] += (v->snap->srtt_us - p->rtt_us[HISTORY - 1]) / ++p->subflows;
		}
	}
}

const char *history_spark(const double v[HISTORY], char *buf)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }, *const plain[] = { "_", ".", ",", "-", "=", "+", "*", "#" };
	const char *const *set = strcmp(nl_langinfo(CODESET), "UTF-8") ? plain : blocks;
	double most = 0;

	*buf = 0;
	for (int i = 0; i < HISTORY; i++)
		if (v[i] > most)
			most = v[i];
	for (int i = 0; i < HISTORY; i++)
		strcat(buf, v[i] > 0 ? set[(int)(v[i] / most * 7.999)] : " ");
	return buf;
}
