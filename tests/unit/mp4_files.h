/*
 * mp4_files.h: real MP4 and MOV files, made by ffmpeg in a folder of the test's own,
 * and those of the folder that DROPSTREAM_CORPUS names.
 */
#ifndef DROPSTREAM_TEST_MP4_FILES_H
#define DROPSTREAM_TEST_MP4_FILES_H

#include "bmff.h"
#include "boxes.h"
#include "tempdir.h"

#include <dirent.h>
#include <stdbool.h>

#define BOX(name) BMFF_FOURCC((name)[0], (name)[1], (name)[2], (name)[3])

/* Two seconds of pictures and a little more of sound. */
#define PICTURE " -f lavfi -i testsrc2=s=128x96:r=25:d=2"
#define SOUND " -f lavfi -i sine=f=440:r=44100:d=2.3"
#define H264 " -c:v libx264 -preset ultrafast -bf 3 -g 20"

static const char *const mp4_recipes[] = {
    PICTURE SOUND H264 " -c:a aac plain.mp4",
    PICTURE SOUND H264 " -c:a aac -movflags faststart faststart.mp4",
    PICTURE SOUND H264 " -c:a aac -movflags negative_cts_offsets negative.mp4",
    PICTURE SOUND H264 " -c:a aac -use_editlist 0 no_edits.mp4",
    " -itsoffset 1.5" PICTURE SOUND H264 " -c:a aac late_picture.mp4",
    PICTURE " -itsoffset 0.7" SOUND H264 " -c:a aac late_sound.mp4",
    PICTURE SOUND H264 " -c:a pcm_s24be -ac 2 pcm.mov",
    PICTURE SOUND " -c:v mjpeg -c:a pcm_mulaw intra.mov",
    PICTURE SOUND " -map 0:v -map 1:a -map 0:v -map 1:a" H264 " -c:a aac four.mp4",
    PICTURE SOUND " -vf \"select='mod(n,7)'\" -vsync vfr" H264 " -c:a aac gaps.mp4",
};

static char mp4_dir[PATH_MAX];

static inline bool mp4_have_ffmpeg(void)
{
    return system("command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null") == 0;
}

/* Runs ffmpeg in the folder. */
static inline void mp4_ffmpeg(const char *args)
{
    char command[2 * PATH_MAX];
    snprintf(command, sizeof(command), "cd %s && ffmpeg -nostdin -v error -y %s",
             mp4_dir, args);
    assert_int_equal(system(command), 0);
}

/* An empty folder; mp4_files_make has the files of all recipes in it. */
static inline int mp4_files_none(void **state)
{
    (void)state;
    tempdir_make(mp4_dir);
    return 0;
}

static inline int mp4_files_make(void **state)
{
    mp4_files_none(state);
    for (size_t i = 0; i < sizeof(mp4_recipes) / sizeof(mp4_recipes[0]); i++)
        if (mp4_have_ffmpeg())
            mp4_ffmpeg(mp4_recipes[i]);
    return 0;
}

static inline int mp4_files_remove(void **state)
{
    (void)state;
    tempdir_remove(mp4_dir);
    return 0;
}

/* Calls each with the path of every file of a folder whose name ends so ("mp4"), in any
 * order; the number of them. */
static inline int files_each(const char *dir, const char *ext,
                             void (*each)(const char *path))
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    int n = 0;
    while (d && (entry = readdir(d))) {
        char path[PATH_MAX];
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot + 1, ext) != 0)
            continue;
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) <
            sizeof(path)) {
            each(path);
            n++;
        }
    }
    if (d)
        closedir(d);
    return n;
}

/* Every MP4 and MOV file there is. */
static inline int mp4_each(void (*each)(const char *path))
{
    const char *corpus = getenv("DROPSTREAM_CORPUS");
    int n = files_each(mp4_dir, "mp4", each) + files_each(mp4_dir, "mov", each);
    if (corpus && *corpus)
        n += files_each(corpus, "mp4", each) + files_each(corpus, "mov", each);
    return n;
}

static inline uint64_t mp4_file_size(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

/* Bytes begin … end - 1 of a file. */
static inline struct bytes mp4_file_part(const char *path, uint64_t begin, uint64_t end)
{
    struct bytes b = {malloc(end - begin + 1), 0, end - begin + 1};
    FILE *f = fopen(path, "rb");
    assert_non_null(b.p);
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)begin, SEEK_SET), 0);
    b.n = fread(b.p, 1, end - begin, f);
    assert_int_equal(b.n, end - begin);
    fclose(f);
    return b;
}

/* The first box of a type at the top level; false if there is none. */
static inline bool mp4_find_box(const char *path, const char *type, uint64_t *begin,
                                uint64_t *end)
{
    uint64_t size = mp4_file_size(path), at = 0;
    *begin = *end = 0;
    while (at + 16 <= size) {
        struct bytes head = mp4_file_part(path, at, at + 16);
        struct bmff_header h;
        assert_int_equal(bmff_header(head.p, head.n, &h), RC_OK);
        bytes_free(&head);
        if (h.size == 0)
            h.size = size - at;
        if (h.type == BOX(type)) {
            *begin = at;
            *end = at + h.size;
            return true;
        }
        at += h.size;
    }
    return false;
}

#endif
