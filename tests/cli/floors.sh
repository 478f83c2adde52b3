# tools/check-floors finds each thing that it is there to find, in a small house of its own.
. tests/cli/common.bash
code= out= err=
line="tools/check-floors"
export RHEOBASE_ROOT=$WORK/house
# breaks FILE CONTENT TEXT: with that file in the house the script fails and says TEXT
house() {
    rm -rf "$RHEOBASE_ROOT"
    mkdir -p "$RHEOBASE_ROOT"/{include/rheobase,src/base,src/learn,src/neuron/models,cli,tests}
    cat >"$RHEOBASE_ROOT/src/learn/a.c" <<'C'
#include "base/a.h"
#include "learn/a.h"
/* printf("x"); exit(1); abort() and stderr in a comment
 * that goes on: exit(1) */
// abort();
static const char *const text = "printf(\"never\") exit(1)";
int snprintf_is_fine(void) { return snprintf(0, 0, "%s", text); }
C
}
breaks() {
    house
    mkdir -p "$(dirname "$RHEOBASE_ROOT/$1")"
    printf '%b' "$2" >"$RHEOBASE_ROOT/$1"
    out=$("$ROOT/tools/check-floors" 2>&1); code=$?
    line="floors with $1"
    exits 1; says "$3"; says "$1:"
}
house
out=$("$ROOT/tools/check-floors" 2>&1); code=$?; exits 0
[ -z "$out" ] || bad "a good house is quiet"
breaks src/base/b.c '#include "learn/a.h"\n' "higher floor learn/a.h"
breaks src/neuron/b.h '\n  #  include "net/net.h"\n' "neuron includes the higher floor"
breaks src/neuron/models/b.h '#include "exec/plan.h"\n' "higher floor exec/plan.h"
breaks src/attic/b.c 'int b;\n' "stands on no floor"
breaks src/learn/b.c '#include "../base/a.h"\n' "by ../"
breaks src/learn/b.c '#include "kernel/a.h"\n' "unknown room"
breaks include/rheobase/b.h '#include "base/a.h"\n' "public header"
breaks cli/b.c '#include "base/text.h"\n' "not a public header"
breaks src/base/b.c 'void f(void)\n{\n    printf("x");\n}\n' "never prints"
breaks src/base/b.c 'void f(void)\n{\n    fputs("x", stderr);\n}\n' "never prints"
breaks src/base/b.c '/* a */ void f(void) { /* b */ exit (1); }\n' "never prints, exits"
breaks src/base/b.c 'void f(void) { if (1) abort(); }\n' "aborts"
breaks src/base/b.c "$(yes '\n' | head -801 | tr -d '\n')" "file of 801 lines"
breaks cli/b.c "void f(void)\n{\n$(yes '    ;\n' | head -121 | tr -d '\n')\n}\n" "function of"
finish
