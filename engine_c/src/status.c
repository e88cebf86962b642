/* Status: the one place where codes meet their names and texts (the table in ptd.h). */
#include "status.h"

const char *ptd_status_name(ptd_status status)
{
    switch (status) {
#define NAME(name, code, text)                                                                     \
    case name:                                                                                     \
        return #name;
        PTD_STATUS_TABLE(NAME)
#undef NAME
    }
    return "PTD_UNKNOWN";
}

const char *ptd_status_text(ptd_status status)
{
    switch (status) {
#define TEXT(name, code, text)                                                                     \
    case name:                                                                                     \
        return text;
        PTD_STATUS_TABLE(TEXT)
#undef TEXT
    }
    return "unknown status";
}

ptd_status ptd_fail(ptd_error *error, ptd_status status, int64_t index, double value)
{
    if (error) {
        error->status = status;
        error->index = index;
        error->value = value;
    }
    return status;
}
