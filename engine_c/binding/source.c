/* What the generated module needs besides the engine itself. */
#include "ptd.h"

#include "handlers.h"
#include "registry.h"

/* The version that this module was built as; the package refuses another one. */
static const char *phasic_built_version(void)
{
    return PHASIC_VERSION;
}

/* "" or the sanitizers, so that a test run can prove what it ran on. */
static const char *phasic_built_sanitizers(void)
{
    return PHASIC_SANITIZE;
}
