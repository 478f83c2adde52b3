/* test_files.c: reading whole files, gunzip and its limits, atomic writing under every fault that
 * can be arranged (full disk, no permission, killed in the middle), locks, folders, SHA-256. */
#include "check.h"
#include "faults.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

static char folder[64];
static rheo_context *ctx;

static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rheo-files-XXXXXX");
    ctx = check_context(1);
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    rheo_context_free(ctx);
    return system(command);
}

static void put_raw(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void expect_content(const char *path, const char *content)
{
    char *data;
    size_t size;
    CHECK_OK(ctx, rheo__file_read(ctx, path, 1 << 24, &data, &size));
    assert_int_equal(size, strlen(content));
    assert_string_equal(data, content);
    rheo__release(ctx, data);
}

/* The number of entries in the folder, to see that no temporary file stays. */
static int entries(const char *path)
{
    char command[320], text[32] = "";
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(text, sizeof text, pipe));
    pclose(pipe);
    return atoi(text);
}

/* gzip through zlib's own compressor */
static size_t gzip(const void *data, size_t size, unsigned char *out, size_t room)
{
    z_stream s = {0};
    assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    s.next_in = (Bytef *)(uintptr_t)data;
    s.avail_in = (uInt)size;
    s.next_out = out;
    s.avail_out = (uInt)room;
    assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
    size_t used = room - s.avail_out;
    deflateEnd(&s);
    return used;
}

static void test_read(void **state)
{
    (void)state;
    const char *path = in_folder("plain");
    char *data = NULL;
    size_t size = 77;
    put_raw(path, "hello\0world", 11);
    CHECK_OK(ctx, rheo__file_read(ctx, path, 11, &data, &size));
    assert_int_equal(size, 11);
    assert_memory_equal(data, "hello\0world", 12); /* with the 0 behind it */
    rheo__release(ctx, data);
    data = NULL;
    CHECK_FAILS(ctx, rheo__file_read(ctx, path, 10, &data, &size), RHEO_FORMAT, "more than 10");
    CHECK_FAILS(ctx, rheo__file_read(ctx, in_folder("none"), 10, &data, &size), RHEO_MISSING,
                "none': No such file");
    CHECK_FAILS(ctx, rheo__file_read(ctx, folder, 10, &data, &size), RHEO_IO, "directory");
    assert_null(data);
    assert_int_equal(size, 11);
    put_raw(path, "", 0);
    CHECK_OK(ctx, rheo__file_read(ctx, path, 0, &data, &size));
    assert_int_equal(size, 0);
    assert_int_equal(data[0], 0);
    rheo__release(ctx, data);
    /* a file whose size is not told in advance, longer than the first guess */
    CHECK_OK(ctx, rheo__file_read(ctx, "/proc/cpuinfo", 1 << 24, &data, &size));
    assert_true(size > 0 && data[size] == '\0');
    rheo__release(ctx, data);
    assert_true(rheo__file_exists(path) && !rheo__file_exists(in_folder("none")));
    assert_int_equal(rheo__file_size(in_folder("none")), 0);
}

static char text[100000];
static unsigned char packed[200000];

static size_t packed_text(void)
{
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * i >> 7 & 127);
    return gzip(text, sizeof text, packed, sizeof packed);
}

static void test_gzip(void **state)
{
    (void)state;
    const char *path = in_folder("a.gz");
    char *data;
    size_t size, n = packed_text();
    put_raw(path, packed, n);
    CHECK_OK(ctx, rheo__file_read(ctx, path, sizeof text, &data, &size));
    assert_int_equal(size, sizeof text);
    assert_memory_equal(data, text, sizeof text);
    assert_int_equal(data[size], 0);
    rheo__release(ctx, data);
    CHECK_FAILS(ctx, rheo__file_read(ctx, path, sizeof text - 1, &data, &size), RHEO_FORMAT,
                "more than 99999 bytes");
    /* two members, as gzip -c a b > c makes them */
    size_t more = gzip("tail", 4, packed + n, sizeof packed - n);
    put_raw(path, packed, n + more);
    CHECK_OK(ctx, rheo__file_read(ctx, path, 1 << 20, &data, &size));
    assert_int_equal(size, sizeof text + 4);
    assert_string_equal(data + sizeof text, "tail");
    rheo__release(ctx, data);
    put_raw(path, packed, gzip("", 0, packed, sizeof packed));
    CHECK_OK(ctx, rheo__file_read(ctx, path, 100, &data, &size));
    assert_int_equal(size, 0);
    rheo__release(ctx, data);
}

static void test_damaged_gzip(void **state)
{
    (void)state;
    const char *path = in_folder("b.gz");
    char *data = NULL;
    size_t size, n = packed_text();
    for (size_t cut = 2; cut < n; cut += cut < 40 || cut + 40 > n ? 1 : 997) {
        put_raw(path, packed, cut);
        CHECK_FAILS(ctx, rheo__file_read(ctx, path, 1 << 20, &data, &size), RHEO_FORMAT,
                    "b.gz' is damaged");
    }
    for (size_t at = n - 8; at < n; at++) { /* checksum and length */
        packed[at] ^= 4;
        put_raw(path, packed, n);
        CHECK_FAILS(ctx, rheo__file_read(ctx, path, 1 << 20, &data, &size), RHEO_FORMAT, "b.gz'");
        packed[at] ^= 4;
    }
    packed[n] = 'x';
    put_raw(path, packed, n + 1);
    CHECK_FAILS(ctx, rheo__file_read(ctx, path, 1 << 20, &data, &size), RHEO_FORMAT,
                "bytes after its end");
    assert_null(data);
}

/* 64 MiB of zeros in 64 KiB: reading stops near the limit, long before the end. */
static void test_bomb(void **state)
{
    (void)state;
    char *data;
    size_t size, zeros = (size_t)64 << 20;
    char *nothing = calloc(zeros, 1);
    assert_non_null(nothing);
    size_t n = gzip(nothing, zeros, packed, sizeof packed);
    free(nothing);
    put_raw(in_folder("bomb.gz"), packed, n);
    rheo_context *fresh = check_context(1);
    CHECK_FAILS(fresh, rheo__file_read(fresh, in_folder("bomb.gz"), 1 << 20, &data, &size),
                RHEO_FORMAT, "unpacks to more than 1048576 bytes");
    assert_true(rheo_memory_used(fresh).peak < (size_t)4 << 20);
    rheo_context_free(fresh);
}

static rheo_status read_packed(rheo_context *c, void *arg)
{
    char *data;
    size_t size;
    RHEO_TRY(rheo__file_read(c, arg, 1 << 20, &data, &size));
    rheo__release(c, data);
    return RHEO_OK;
}

static void test_read_faults(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s", in_folder("f.gz"));
    /* the trailer tells the second member's length only, so the memory must grow */
    size_t n = packed_text(), more = gzip("tail", 4, packed + n, sizeof packed - n);
    put_raw(path, packed, n + more);
    faults_sweep(read_packed, path);
}

static void test_write(void **state)
{
    (void)state;
    const char *path = in_folder("out.txt");
    int before = entries(folder);
    CHECK_OK(ctx, rheo__file_write(ctx, path, "first", 5));
    expect_content(path, "first");
    CHECK_OK(ctx, rheo__file_write(ctx, path, "second", 6));
    expect_content(path, "second");
    assert_int_equal(rheo__file_size(path), 6);
    CHECK_OK(ctx, rheo__file_write(ctx, path, NULL, 0));
    expect_content(path, "");
    assert_int_equal(entries(folder), before + 1);
    CHECK_FAILS(ctx, rheo__file_write(ctx, in_folder("no/such/x"), "a", 1), RHEO_MISSING,
                "no/such/x");
    /* the target is a folder: the rename fails and the temporary file goes */
    assert_int_equal(mkdir(in_folder("taken"), 0755), 0);
    CHECK_FAILS(ctx, rheo__file_write(ctx, in_folder("taken"), "a", 1), RHEO_IO, "taken");
    assert_int_equal(entries(folder), before + 2);
    char big[2 * RHEO_PATH];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    CHECK_FAILS(ctx, rheo__file_write(ctx, big, "a", 1), RHEO_USAGE, "too long");
}

static void test_replace(void **state)
{
    (void)state;
    char temporary[RHEO_PATH];
    const char *path = in_folder("model");
    CHECK_OK(ctx, rheo__file_write(ctx, path, "old", 3));
    CHECK_OK(ctx, rheo__replace_begin(ctx, path, temporary));
    put_raw(temporary, "new", 3);
    expect_content(path, "old");
    CHECK_OK(ctx, rheo__replace_commit(ctx, path, temporary));
    expect_content(path, "new");
    assert_false(rheo__file_exists(temporary));
    put_raw(temporary, "bad", 3);
    rheo__replace_abandon(temporary);
    assert_false(rheo__file_exists(temporary));
    expect_content(path, "new");
    CHECK_FAILS(ctx, rheo__replace_commit(ctx, path, temporary), RHEO_MISSING, "model");
}

/* Waits for a child and hands back its exit status; a child reports by _exit. */
static int wait_for(pid_t child)
{
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* A limit on the file's size stands for a full disk: write ends short with an error. */
static void test_full_disk(void **state)
{
    (void)state;
    const char *path = in_folder("full");
    CHECK_OK(ctx, rheo__file_write(ctx, path, "whole", 5));
    int before = entries(folder);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {5000, 5000};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
        rheo_status status = rheo__file_write(ctx, path, text, sizeof text);
        bool said = strstr(rheo_error(ctx), "full': File too large; free some space") != NULL;
        _exit(status == RHEO_IO && said ? 0 : 1);
    }
    assert_int_equal(wait_for(child), 0);
    expect_content(path, "whole");
    assert_int_equal(entries(folder), before);
}

/* The real thing where it can be had: a small tmpfs (needs root and a kernel that lets us). */
static void test_really_full_disk(void **state)
{
    (void)state;
    char command[256];
    assert_int_equal(mkdir(in_folder("disk"), 0755), 0);
    snprintf(command, sizeof command, "mount -t tmpfs -o size=64k none '%s/disk' 2>/dev/null",
             folder);
    if (geteuid() != 0 || system(command) != 0) skip();
    rheo_status small = rheo__file_write(ctx, in_folder("disk/x"), "whole", 5);
    rheo_status large = rheo__file_write(ctx, in_folder("disk/x"), text, sizeof text);
    bool said = strstr(rheo_error(ctx), "No space left") != NULL;
    int left = entries(in_folder("disk"));
    uint64_t size = rheo__file_size(in_folder("disk/x"));
    snprintf(command, sizeof command, "umount '%s/disk'", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(small, RHEO_OK);
    assert_int_equal(large, RHEO_IO);
    assert_true(said);
    assert_int_equal(left, 1);
    assert_int_equal(size, 5);
}

static void test_no_permission(void **state)
{
    (void)state;
    const char *path = in_folder("closed/x");
    assert_int_equal(mkdir(in_folder("closed"), 0755), 0);
    CHECK_OK(ctx, rheo__file_write(ctx, path, "mine", 4));
    assert_int_equal(chmod(in_folder("closed"), 0555), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0) _exit(2);
        int fd, wrong = 0;
        wrong |= rheo__file_write(ctx, path, "theirs", 6) != RHEO_IO;
        wrong |= !strstr(rheo_error(ctx), "closed/x': Permission denied; change its permissions");
        wrong |= rheo__make_folders(ctx, in_folder("closed/a/b")) != RHEO_IO;
        wrong |= !strstr(rheo_error(ctx), "closed/a': Permission denied");
        wrong |= rheo__lock(ctx, in_folder("closed"), &fd) != RHEO_IO;
        wrong |= !strstr(rheo_error(ctx), "closed': Permission denied");
        _exit(wrong);
    }
    assert_int_equal(wait_for(child), 0);
    assert_int_equal(chmod(in_folder("closed"), 0755), 0);
    expect_content(path, "mine");
    assert_int_equal(entries(in_folder("closed")), 1);
}

/* Killed at any moment of writing, a reader finds the old file or a new one, whole. */
static void test_killed(void **state)
{
    (void)state;
    static char blank[200000], full[200001];
    const char *path = in_folder("killed");
    memset(blank, '.', sizeof blank);
    CHECK_OK(ctx, rheo__file_write(ctx, path, blank, sizeof blank));
    for (int round = 0; round < 20; round++) {
        pid_t child = fork();
        if (child == 0) {
            for (char c = 'a';; c = c == 'z' ? 'a' : (char)(c + 1)) {
                memset(full, c, sizeof full);
                if (rheo__file_write(ctx, path, full, sizeof full - (c & 1)) != RHEO_OK) _exit(1);
            }
        }
        usleep((useconds_t)(1000 + round * 700));
        kill(child, SIGKILL);
        assert_int_equal(wait_for(child), SIGKILL);
        char *data;
        size_t size;
        CHECK_OK(ctx, rheo__file_read(ctx, path, 1 << 20, &data, &size));
        size_t expected = data[0] == '.' ? sizeof blank : sizeof full - (data[0] & 1);
        assert_int_equal(size, expected);
        for (size_t i = 0; i < size; i++) assert_int_equal(data[i], data[0]);
        rheo__release(ctx, data);
    }
}

static void test_folders(void **state)
{
    (void)state;
    char out[RHEO_PATH];
    CHECK_OK(ctx, rheo__make_folders(ctx, in_folder("a/b/c/")));
    CHECK_OK(ctx, rheo__make_folders(ctx, in_folder("a/b/c")));
    assert_true(rheo__file_exists(in_folder("a/b/c")));
    put_raw(in_folder("a/file"), "x", 1);
    CHECK_FAILS(ctx, rheo__make_folders(ctx, in_folder("a/file")), RHEO_IO, "a/file': File exists");
    CHECK_FAILS(ctx, rheo__make_folders(ctx, in_folder("a/file/b")), RHEO_IO, "a/file'");
    CHECK_FAILS(ctx, rheo__make_folders(ctx, ""), RHEO_USAGE, "0 bytes");
    CHECK_OK(ctx, rheo__join(ctx, "a", "b", out));
    assert_string_equal(out, "a/b");
    CHECK_OK(ctx, rheo__join(ctx, "a/", "b", out));
    assert_string_equal(out, "a/b");
    CHECK_OK(ctx, rheo__join(ctx, "", "b", out));
    assert_string_equal(out, "b");
    CHECK_OK(ctx, rheo__join(ctx, out, "c", out)); /* in place */
    assert_string_equal(out, "b/c");
    char big[RHEO_PATH];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    CHECK_FAILS(ctx, rheo__join(ctx, big, "b", out), RHEO_USAGE, "too long");
}

static void test_lock(void **state)
{
    (void)state;
    int mine, theirs;
    CHECK_OK(ctx, rheo__make_folders(ctx, in_folder("run")));
    CHECK_OK(ctx, rheo__lock(ctx, in_folder("run"), &mine));
    CHECK_FAILS(ctx, rheo__lock(ctx, in_folder("run"), &theirs), RHEO_BUSY, "run' is in use");
    pid_t child = fork();
    if (child == 0) _exit(rheo__lock(ctx, in_folder("run"), &theirs) == RHEO_BUSY ? 0 : 1);
    assert_int_equal(wait_for(child), 0);
    rheo__unlock(mine);
    CHECK_OK(ctx, rheo__lock(ctx, in_folder("run"), &mine));
    rheo__unlock(mine);
    CHECK_FAILS(ctx, rheo__lock(ctx, in_folder("nowhere"), &mine), RHEO_MISSING, "nowhere");
    /* a killed owner leaves nothing locked */
    child = fork();
    if (child == 0) {
        if (rheo__lock(ctx, in_folder("run"), &theirs) != RHEO_OK) _exit(1);
        raise(SIGKILL);
    }
    assert_int_equal(wait_for(child), SIGKILL);
    CHECK_OK(ctx, rheo__lock(ctx, in_folder("run"), &mine));
    rheo__unlock(mine);
}

/* FIPS 180-4's examples; a million letters a */
static void test_sha256(void **state)
{
    (void)state;
    static char a[1000000];
    char sum[65];
    rheo__sha256("abc", 3, sum);
    assert_string_equal(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    rheo__sha256("", 0, sum);
    assert_string_equal(sum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    memset(a, 'a', sizeof a);
    put_raw(in_folder("million"), a, sizeof a);
    CHECK_OK(ctx, rheo__sha256_file(ctx, in_folder("million"), sum));
    assert_string_equal(sum, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    CHECK_FAILS(ctx, rheo__sha256_file(ctx, in_folder("none"), sum), RHEO_MISSING, "none");
    CHECK_FAILS(ctx, rheo__sha256_file(ctx, folder, sum), RHEO_IO, "directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_damaged_gzip),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_read_faults),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_really_full_disk),
        cmocka_unit_test(test_no_permission),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_sha256),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
