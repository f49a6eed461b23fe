#include "allowed.h"

#include <string.h>

/* One place for each name: whoever else has it is replaced. */
static size_t place(const uint8_t name[SECRET_HASH_SIZE])
{
    return (size_t)(name[0] | name[1] << 8) % ALLOWED_MAX;
}

bool allowed_has(const struct allowed *a, const uint8_t name[SECRET_HASH_SIZE],
                 int64_t now_ms)
{
    size_t i = place(name);

    return a->list[i].until_ms > now_ms && a->list[i].age == a->age &&
           memcmp(a->list[i].name, name, SECRET_HASH_SIZE) == 0;
}

void allowed_add(struct allowed *a, const uint8_t name[SECRET_HASH_SIZE],
                 int64_t until_ms)
{
    size_t i = place(name);

    memcpy(a->list[i].name, name, SECRET_HASH_SIZE);
    a->list[i].age = a->age;
    a->list[i].until_ms = until_ms;
}

void allowed_forget(struct allowed *a)
{
    a->age++;
}
