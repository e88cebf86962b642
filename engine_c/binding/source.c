/* What the generated module needs besides the engine itself. */
#include "ptd.h"

#include "handlers.h"
#include "kernel.h"
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

/* As in "GNU 12.2.0". */
static const char *phasic_built_compiler(void)
{
    return PHASIC_COMPILER;
}

/* Those of all files of the engine. */
static const char *phasic_built_flags(void)
{
    return PHASIC_FLAGS;
}

/* The widest instruction set that kernels use on this processor. */
static const char *phasic_instruction_set(void)
{
    return ptd_kernel_select(NULL)->instruction_set;
}
