/* Status: names, texts and the caller's error. */
#include "status.h"

#include <string.h>

#include "check.h"

int main(void)
{
    const ptd_status statuses[] = {
#define STATUS(name, code, text) name,
        PTD_STATUS_TABLE(STATUS)
#undef STATUS
    };
    const size_t count = sizeof statuses / sizeof *statuses;
    for (size_t a = 0; a < count; a++) {
        CHECK(strncmp(ptd_status_name(statuses[a]), "PTD_", 4) == 0);
        CHECK(strlen(ptd_status_text(statuses[a])) > 3);
        for (size_t b = 0; b < a; b++) {
            CHECK(statuses[a] != statuses[b]);
            CHECK(strcmp(ptd_status_text(statuses[a]), ptd_status_text(statuses[b])) != 0);
        }
    }
    CHECK(strcmp(ptd_status_name(PTD_GRAPH_EMPTY), "PTD_GRAPH_EMPTY") == 0);
    CHECK(strcmp(ptd_status_name((ptd_status)9999), "PTD_UNKNOWN") == 0);
    ptd_error error = {0};
    CHECK(ptd_fail(&error, PTD_WEIGHT_NEGATIVE, 7, -0.5) == PTD_WEIGHT_NEGATIVE);
    CHECK(error.status == PTD_WEIGHT_NEGATIVE && error.index == 7 && error.value == -0.5);
    CHECK(ptd_fail(NULL, PTD_NO_MEMORY, 0, 0) == PTD_NO_MEMORY);
    return check_result();
}
