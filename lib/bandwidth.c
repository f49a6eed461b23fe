#include "bandwidth.h"

static int64_t bits_a_second(int64_t bytes, int64_t us)
{
    if (us <= 0)
        return 0;
    return (int64_t)((double)bytes * 8e6 / (double)us) + 1;
}

int64_t bandwidth_average(const struct bandwidth_list *list)
{
    int64_t bytes = 0, us = 0;
    for (int64_t k = 0; k < list->n; k++) {
        bytes += list->bytes(list->arg, k);
        us += list->duration_us(list->arg, k);
    }
    return bits_a_second(bytes, us);
}

/* The largest of the runs that begin with segment `from`. */
static int64_t peak_from(const struct bandwidth_list *list, int64_t from,
                         int64_t target_us)
{
    int64_t bytes = 0, us = 0, peak = 0;
    for (int64_t k = from; k < list->n; k++) {
        us += list->duration_us(list->arg, k);
        bytes += list->bytes(list->arg, k);
        if (2 * us > 3 * target_us)
            break;
        int64_t rate = bits_a_second(bytes, us);
        if (2 * us >= target_us && rate > peak)
            peak = rate;
    }
    return peak;
}

int64_t bandwidth_peak(const struct bandwidth_list *list, int64_t target_s)
{
    int64_t peak = 0;
    for (int64_t k = 0; k < list->n; k++) {
        int64_t rate = peak_from(list, k, target_s * 1000000);
        if (rate > peak)
            peak = rate;
    }
    return peak > 0 ? peak : bandwidth_average(list);
}
