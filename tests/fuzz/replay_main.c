/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds files, or all files of directories, to a fuzz target: the corpora as a test. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX (1u << 20)

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *data = malloc(INPUT_MAX), *cut;
	size_t len;

	if (!f || !data) {
		perror(path);
		exit(1);
	}
	len = fread(data, 1, INPUT_MAX, f);
	fclose(f);
	cut = realloc(data, len ? len : 1); /* ASan sees any read beyond the end */
	LLVMFuzzerTestOneInput(cut ? cut : data, len);
	free(cut ? cut : data);
	return 1;
}

static int replay_path(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return replay_file(path);
	while ((entry = readdir(dir))) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN)
			n += replay_file(name);
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++)
		n += replay_path(argv[i]);
	printf("%d inputs\n", n);
	return n ? 0 : 1; /* an empty corpus tests nothing */
}
