/* Folders of a test: what lies in them, and their removal. */
#ifndef FOLDERS_H
#define FOLDERS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void path_in(const char *folder, const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s", folder, name);
}

/* The entries of a folder; `name` receives one of them. */
static inline int list_folder(const char *folder, char name[256])
{
    int count = 0;
    DIR *entries = opendir(folder);
    if (!entries) {
        return -1;
    }
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            snprintf(name, 256, "%s", entry->d_name);
            count++;
        }
    }
    closedir(entries);
    return count;
}

static inline void empty_folder(const char *folder)
{
    char name[256];
    char path[512];
    while (list_folder(folder, name) > 0) {
        path_in(folder, name, path);
        if (unlink(path) != 0 && rmdir(path) != 0) {
            exit(2);
        }
    }
}

#endif
