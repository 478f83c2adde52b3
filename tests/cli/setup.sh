# tools/setup with a package list of its own making: what it says and does when nothing is missing,
# when something can be installed and when it cannot.
. tests/cli/common.bash
code= out= err=
mkdir "$WORK/bin"
for tool in bash cat env mkdir touch; do ln -s "$(command -v $tool)" "$WORK/bin/$tool"; done
# dpkg-query: present is what has a file in $WORK/have; apt-get install makes that file, when $WORK/net
# is there
cat >"$WORK/bin/dpkg-query" <<'B'
#!/usr/bin/env bash
[ -e "$WORK/have/${@: -1}" ] && printf installed
B
cat >"$WORK/bin/apt-get" <<'B'
#!/usr/bin/env bash
printf '%s\n' "$*" >>"$WORK/calls"
[ -e "$WORK/net" ] || exit 100
for word; do [ "$word" = install ] && on=1; [ -n "${on-}" ] && [[ $word != -* && $word != install ]] && touch "$WORK/have/$word"; done
exit 0
B
printf '#!/usr/bin/env bash\necho "${FAKE_UID:-0}"\n' >"$WORK/bin/id"
chmod +x "$WORK"/bin/*
export WORK
setup() {
    line="tools/setup $*"
    : >"$WORK/calls"
    PATH=$WORK/bin bash "$ROOT/tools/setup" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
    code=$?; out=$(cat "$WORK/out"); err=$(cat "$WORK/err"); calls=$(cat "$WORK/calls")
}
mkdir "$WORK/have"
setup; exits 1
[[ $err == *"could not be installed"*libhdf5-dev* && $err == *"apt-get install"* ]] || bad "names what is missing"
FAKE_UID=1000 setup; exits 1
[ -z "$calls" ] || bad "without root and sudo nothing is tried"
[[ $err == *cmake*libcmocka-dev* ]] || bad "names what is missing"
touch "$WORK/net"
setup; exits 0
[ -e "$WORK/have/libyaml-dev" ] && [ -e "$WORK/have/dataset-fashion-mnist" ] || bad "installs"
[[ $calls == *--no-install-recommends* && $calls != *update* ]] || bad "apt-get install, without an update: $calls"
setup; exits 0
[ -z "$calls$err$out" ] || bad "a second time does and says nothing"
rm "$WORK/have/libcurl4-openssl-dev"; touch "$WORK/have/libcurl4-gnutls-dev"
setup; exits 0
[ -z "$calls" ] || bad "the other libcurl is as good"
rm "$WORK/have/dataset-fashion-mnist" "$WORK/net"
setup; exits 0
[[ $err == *"built-in digits"* ]] || bad "goes on with the digits"
setup attic; exits 2
rm "$WORK/bin/dpkg-query"
setup; exits 0
[[ $err == *"no Debian"*libhdf5-dev* ]] || bad "elsewhere it names the packages"
finish
