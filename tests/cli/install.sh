# An installed Rheobase as others use it: the command, the man page, a CMake project against the
# shared and the static library, pkg-config for both, C++, exported symbols; then uninstall.
. tests/cli/common.bash
code= out= err= line=install
CC=${CC:-cc}
case $("$BUILD/rheobase" --version 2>/dev/null) in rheobase*) ;; *) echo "the command does not run"; exit 1 ;; esac
grep -qE '^RHEO_(SANITIZE:STRING=.+|FUZZ:BOOL=ON)$' "$BUILD/CMakeCache.txt" &&
    skip "a library with a sanitizer needs a program with it"
to=$WORK/prefix
# a component has a manifest of its own: the one of `make install` stays as it is
cmake --install "$BUILD" --prefix "$to" --component Unspecified >"$WORK/log" || { cat "$WORK/log"; exit 1; }
lib=$(dirname "$(find "$to" -name librheobase.so.0)")
for file in bin/rheobase include/rheobase/rheobase.h share/man/man1/rheobase.1 \
    share/rheobase/recipes/surrogate-mlp.yaml; do
    [ -s "$to/$file" ] || bad "$file was not installed"
done
[ "$(find "$to/share/rheobase/recipes" -name '*.yaml' | wc -l)" = "$(ls recipes/*.yaml | wc -l)" ] ||
    bad "recipes were not installed"

# what the shared library shows is what the headers promise: RHEO_API, no internal name
exported=$(nm -D --defined-only "$lib/librheobase.so.0" | awk '{ print $3 }' | sort)
promised=$(cat "$to"/include/rheobase/*.h | grep -A3 RHEO_API | grep -oE '\brheo_[a-z_]+\(' | tr -d '(' | sort -u)
[ "$exported" = "$promised" ] || bad "exported and promised differ: $(diff <(echo "$exported") <(echo "$promised") | grep '^[<>]')"

mkdir "$WORK/user"
cat >"$WORK/user/main.c" <<'C'
#include <rheobase/rheobase.h>
int main(void)
{
    rheo_context_options options = {.threads = 1, .seed = 1};
    rheo_context *ctx;
    rheo_net *net;
    if (rheo_context_new(&options, &ctx) != RHEO_OK) return 1;
    if (rheo_net_parse(ctx, "4-3-2", NULL, &net) != RHEO_OK) return 2;
    /* 4·3 + 3 + 3·2 + 2 */
    int wrong = rheo_net_parameters(net) != 23;
    rheo_net_free(net);
    rheo_context_free(ctx);
    return wrong ? 3 : 0;
}
C
cat >"$WORK/user/CMakeLists.txt" <<'C'
cmake_minimum_required(VERSION 3.25)
project(user C)
find_package(rheobase 0.1 REQUIRED COMPONENTS static)
add_executable(shared main.c)
target_link_libraries(shared PRIVATE rheobase::rheobase)
add_executable(static main.c)
target_link_libraries(static PRIVATE rheobase::static)
C
step() { line="$*"; out=$("$@" 2>&1); code=$?; exits 0; }
step cmake -S "$WORK/user" -B "$WORK/user/build" -DCMAKE_PREFIX_PATH="$to" -DCMAKE_C_COMPILER="$CC"
step cmake --build "$WORK/user/build"
step "$WORK/user/build/shared"
step "$WORK/user/build/static"
readelf -d "$WORK/user/build/shared" | grep -q 'NEEDED.*\[librheobase.so.0\]' || bad "links librheobase.so.0"

export PKG_CONFIG_PATH=$lib/pkgconfig
step $CC -std=c17 -Wall -Wextra -Wpedantic -Werror "$WORK/user/main.c" $(pkg-config --cflags --libs rheobase) -o "$WORK/user/a"
LD_LIBRARY_PATH=$lib step "$WORK/user/a"
step $CC "$WORK/user/main.c" $(pkg-config --cflags rheobase) "$lib/librheobase.a" \
    $(pkg-config --libs --static rheobase | sed 's/-lrheobase//') -o "$WORK/user/b"
step "$WORK/user/b"
if command -v c++ >/dev/null; then
    for header in "$to"/include/rheobase/*.h; do
        step c++ -x c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$to/include" "$header"
    done
fi
for header in "$to"/include/rheobase/*.h; do
    step $CC -x c -std=c17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$to/include" "$header"
done

step cmake -DMANIFEST="$BUILD/install_manifest_Unspecified.txt" -P cmake/uninstall.cmake
left=$(find "$to" -not -type d; find "$to" -type d -name rheobase)
[ -z "$left" ] || bad "uninstall leaves $left"
finish
