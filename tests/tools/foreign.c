/* SPDX-License-Identifier: GPL-2.0-only */
/* foreign on OBJECT DEV | off DEV | list DEV: somebody else's XDP program, through libxdp; and what the device's dispatcher holds, in its order. */
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <xdp/libxdp.h>

static int on(const char *object, int ifindex)
{
	struct xdp_program *p = xdp_program__open_file(object, "xdp", NULL);

	return libxdp_get_error(p) || xdp_program__attach(p, ifindex, XDP_MODE_NATIVE, 0);
}

static int each(int ifindex, int off)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *p = NULL;

	if (libxdp_get_error(mp))
		return off;
	while ((p = xdp_multiprog__next_prog(p, mp))) {
		if (!off)
			printf("%s\n", xdp_program__name(p));
		else if (!strcmp(xdp_program__name(p), "foreign"))
			return xdp_program__detach(p, ifindex, XDP_MODE_NATIVE, 0);
	}
	return off;
}

int main(int argc, char **argv)
{
	int ifindex = argc > 2 ? (int)if_nametoindex(argv[argc - 1]) : 0;

	if (!ifindex) {
		fprintf(stderr, "usage: foreign on OBJECT DEV | off DEV | list DEV\n");
		return 2;
	}
	return !!(argc == 4 && !strcmp(argv[1], "on") ? on(argv[2], ifindex) : each(ifindex, !strcmp(argv[1], "off")));
}
