/* test_check_promise.c: which files a video has promised to have. */
#include "check.h"

#include "site_check.h"

#include <stdio.h>
#include <string.h>

static struct check_rows rows;
static char told[2000];

static void tell(void *arg, const struct promised *p)
{
    size_t n = strlen(told);

    (void)arg;
    snprintf(told + n, sizeof(told) - n, "%s%s%s ", p->folder, *p->folder ? "/" : "",
             p->file ? p->file : "*");
}

static const char *promises(void)
{
    told[0] = '\0';
    check_promises(&rows, tell, NULL);
    return told;
}

static int setup(void **state)
{
    (void)state;
    memset(&rows, 0, sizeof(rows));
    rows.video.state = VIDEO_READY;
    rows.n_renditions = 2;
    rows.renditions[0] =
        (struct rendition){.name = "360p", .generation = 2, .segments = 3};
    rows.renditions[1] = (struct rendition){
        .name = "source", .generation = 1, .copied = true, .extra = true};
    return 0;
}

static void work(enum job_kind kind, const char *rendition, bool live)
{
    struct work *w = &rows.work[rows.n_work++];

    *w = (struct work){.kind = kind, .live = live};
    snprintf(w->rendition, sizeof(w->rendition), "%s", rendition);
}

/* A copy whose cuts are not known, and that nobody makes, is in the list to be told. */
static void playlists_and_segments_of_all_that_is_planned(void **state)
{
    (void)state;
    assert_string_equal(
        promises(), "master.m3u8 player.m3u8 360p-2/index.m3u8 360p-2/* source-1/* ");
}

static void what_is_being_made_is_not_missing(void **state)
{
    (void)state;
    work(JOB_ENCODE, "360p", true);
    work(JOB_COPY, "source", true);
    assert_string_equal(promises(), "master.m3u8 player.m3u8 360p-2/index.m3u8 ");
    rows.lists_behind = true;
    assert_string_equal(promises(), "");
    rows.work[0].live = false;
    assert_string_equal(promises(), "360p-2/* ");
}

static void nothing_before_it_is_ready(void **state)
{
    (void)state;
    rows.video.has_poster = true;
    for (int i = VIDEO_RECEIVING; i <= VIDEO_FAILED; i++) {
        rows.video.state = (enum video_state)i;
        assert_int_equal(*promises() != '\0', i == VIDEO_READY);
    }
}

static void pictures_and_subtitles_where_the_rows_say_so(void **state)
{
    (void)state;
    rows.n_renditions = 0;
    rows.lists_behind = true;
    rows.video.has_poster = rows.video.has_storyboard = true;
    rows.subs.n = 2;
    strcpy(rows.subs.list[0].name, "en");
    rows.subs.list[0].published = 4;
    strcpy(rows.subs.list[1].name, "de");
    assert_string_equal(promises(),
                        "subs/en.vtt subs/en.m3u8 poster.jpg storyboard.vtt ");
    work(JOB_SUBTITLES, "", true);
    work(JOB_POSTER, "", true);
    work(JOB_STORYBOARD, "", false);
    assert_string_equal(promises(), "storyboard.vtt ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(playlists_and_segments_of_all_that_is_planned, setup),
        cmocka_unit_test_setup(what_is_being_made_is_not_missing, setup),
        cmocka_unit_test_setup(nothing_before_it_is_ready, setup),
        cmocka_unit_test_setup(pictures_and_subtitles_where_the_rows_say_so, setup),
    };

    return cmocka_run_group_tests_name("check_promise", tests, NULL, NULL);
}
