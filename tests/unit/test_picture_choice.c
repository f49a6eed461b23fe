/* test_picture_choice.c: which picture tells most. */
#include "check.h"

#include "picture_choice.h"

#include <string.h>

#define PIXELS 576

static int interest_of(int left, int right)
{
    uint8_t grey[PIXELS];

    memset(grey, left, PIXELS / 2);
    memset(grey + PIXELS / 2, right, PIXELS / 2);
    return picture_interest(grey, PIXELS);
}

static void one_colour_all_over_is_dull(void **state)
{
    (void)state;
    for (int grey = 0; grey < 256; grey++)
        assert_true(interest_of(grey, grey) < PICTURE_DULL);
    assert_int_equal(picture_interest(NULL, 0), 0);
}

static void noise_on_black_or_white_is_dull(void **state)
{
    (void)state;
    assert_true(interest_of(0, 12) < PICTURE_DULL);
    assert_true(interest_of(16, 26) < PICTURE_DULL);
    assert_true(interest_of(243, 255) < PICTURE_DULL);
}

static void contrast_tells(void **state)
{
    (void)state;
    assert_true(interest_of(80, 110) >= PICTURE_DULL);
    assert_int_equal(interest_of(0, 255), 127);
    assert_true(interest_of(60, 180) > interest_of(100, 140));
    assert_true(interest_of(100, 130) > interest_of(0, 30));
    assert_true(interest_of(100, 130) > interest_of(225, 255));
}

static void the_first_of_those_that_tell_much_is_chosen(void **state)
{
    (void)state;
    assert_int_equal(picture_choose((const int[]){0}, 1), 0);
    assert_int_equal(picture_choose((const int[]){0, 0, 0}, 3), 0);
    assert_int_equal(picture_choose((const int[]){0, 40, 50, 41}, 4), 1);
    assert_int_equal(picture_choose((const int[]){10, 20, 50, 60}, 4), 2);
    assert_int_equal(picture_choose((const int[]){60, 20, 50, 61}, 4), 0);
    assert_int_equal(picture_choose((const int[]){3, 4}, 2), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_colour_all_over_is_dull),
        cmocka_unit_test(noise_on_black_or_white_is_dull),
        cmocka_unit_test(contrast_tells),
        cmocka_unit_test(the_first_of_those_that_tell_much_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
