/* Downloads from a small HTTP server on 127.0.0.1: whole, resumed, from a server that cannot
 * resume, with a wrong content, and a known set from start to end. No other network is needed. */
#include "data_files.h"
#include "data/read.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

/* ---- the server -------------------------------------------------------------------------------
 */

static struct server {
    int socket;
    pthread_t thread;
    char root[512];    /* files are served from here */
    bool ranges;       /* knows how to go on */
    size_t cut;        /* closes after so many bytes of content; 0: never */
    size_t sent, from; /* of the last answer */
    uint32_t requests;
} server;

static void reply(int client, const char *line)
{
    char path[1024] = "", file[2048], head[256], *data = NULL;
    const char *range = strstr(line, "\r\nRange: bytes=");
    size_t from = range && server.ranges ? strtoul(range + 15, NULL, 10) : 0, size = 0;
    sscanf(line, "GET %1023s", path);
    snprintf(file, sizeof file, "%s%s", server.root, path);
    FILE *f = fopen(file, "rb");
    if (f) {
        data = malloc(32 << 20);
        size = fread(data, 1, 32 << 20, f);
        fclose(f);
    }
    if (!data) {
        strcpy(head, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    } else if (from >= size && from > 0) {
        strcpy(head, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n");
        size = from = 0;
    } else if (from > 0) {
        snprintf(head, sizeof head,
                 "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %zu-%zu/%zu\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 from, size - 1, size, size - from);
    } else {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    }
    server.from = from;
    server.sent = 0;
    server.requests++;
    size_t end = server.cut && from + server.cut < size ? from + server.cut : size;
    if (send(client, head, strlen(head), MSG_NOSIGNAL) > 0)
        while (from < end) {
            ssize_t n = send(client, data + from, end - from, MSG_NOSIGNAL);
            if (n <= 0) break;
            from += (size_t)n;
            server.sent += (size_t)n;
        }
    free(data);
}

static void *serve(void *nothing)
{
    (void)nothing;
    for (int client; (client = accept(server.socket, NULL, NULL)) >= 0; close(client)) {
        char line[4096] = "";
        size_t n = 0;
        while (n < sizeof line - 1 && !strstr(line, "\r\n\r\n")) {
            ssize_t got = recv(client, line + n, sizeof line - 1 - n, 0);
            if (got <= 0) break;
            n += (size_t)got;
            line[n] = '\0';
        }
        if (n > 0) reply(client, line);
        shutdown(client, SHUT_WR);
        while (recv(client, line, sizeof line, 0) > 0) continue;
    }
    return NULL;
}

static char base[64]; /* http://127.0.0.1:PORT */

static int start(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    server.socket = socket(AF_INET, SOCK_STREAM, 0);
    if (server.socket < 0 || bind(server.socket, (struct sockaddr *)&at, size) ||
        listen(server.socket, 8) || getsockname(server.socket, (struct sockaddr *)&at, &size))
        return -1;
    snprintf(base, sizeof base, "http://127.0.0.1:%u", ntohs(at.sin_port));
    setenv("no_proxy", "127.0.0.1", 1);
    snprintf(server.root, sizeof server.root, "%s", in_folder("www"));
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int stop(void **state)
{
    shutdown(server.socket, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.socket);
    return remove_folder(state);
}

/* ---- one file ---------------------------------------------------------------------------------
 */

#define SIZE 100000
static char content[SIZE], sha256[65];

static void fresh(bool ranges, size_t cut)
{
    uint32_t x = 1; /* a linear congruential generator: content that does not pack to nothing */
    for (int i = 0; i < SIZE; i++) content[i] = (char)((x = x * 1664525u + 1013904223u) >> 24);
    rheo__sha256(content, SIZE, sha256);
    put_gz(in_folder("www/file.gz"), content, SIZE);
    unlink(in_folder("file.gz"));
    unlink(in_folder("file.gz.part"));
    server.ranges = ranges;
    server.cut = cut;
    server.requests = 0;
}

static rheo_status get(rheo_context *ctx, const char *name)
{
    char url[256];
    snprintf(url, sizeof url, "%s/%s", base, name);
    return rheo__fetch_file(ctx, url, sha256, in_folder("file.gz"));
}

static void whole(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    fresh(true, 0);
    CHECK_OK(ctx, get(ctx, "file.gz"));
    assert_int_equal(rheo__file_size(in_folder("file.gz")),
                     rheo__file_size(in_folder("www/file.gz")));
    assert_false(rheo__file_exists(in_folder("file.gz.part")));
    assert_int_equal(server.requests, 1);
    rheo_context_free(ctx);
}

/* The connection breaks after 1000 bytes; the next call asks for the rest only. */
static void resumed(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    for (int ranges = 1; ranges >= 0; ranges--) {
        fresh(ranges, 1000);
        size_t size = rheo__file_size(in_folder("www/file.gz"));
        assert_true(size > 3000);
        CHECK_FAILS(ctx, get(ctx, "file.gz"), RHEO_IO, "download failed");
        assert_false(rheo__file_exists(in_folder("file.gz")));
        assert_int_equal(rheo__file_size(in_folder("file.gz.part")), 1000);
        server.cut = 0;
        CHECK_OK(ctx, get(ctx, "file.gz"));
        assert_int_equal(server.from, ranges ? 1000 : 0);
        assert_int_equal(server.sent, ranges ? size - 1000 : size);
        assert_int_equal(rheo__file_size(in_folder("file.gz")), size);
        assert_false(rheo__file_exists(in_folder("file.gz.part")));
    }
    rheo_context_free(ctx);
}

/* Complete, but killed before it was renamed: nothing is fetched again. */
static void complete_part(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    fresh(true, 0);
    put_gz(in_folder("file.gz.part"), content, SIZE);
    CHECK_OK(ctx, get(ctx, "file.gz"));
    assert_true(rheo__file_exists(in_folder("file.gz")));
    assert_int_equal(server.sent, 0);
    rheo_context_free(ctx);
}

/* A part of another file: what comes of it is wrong, so it is fetched anew, once. */
static void wrong_part(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    fresh(true, 0);
    put_text(in_folder("file.gz.part"), "something else");
    CHECK_OK(ctx, get(ctx, "file.gz"));
    assert_int_equal(server.requests, 2);
    assert_int_equal(rheo__file_size(in_folder("file.gz")),
                     rheo__file_size(in_folder("www/file.gz")));
    rheo_context_free(ctx);
}

static int interrupt;

static void failures(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    fresh(true, 0);
    CHECK_FAILS(ctx, get(ctx, "nothing.gz"), RHEO_MISSING, "404");
    assert_false(rheo__file_exists(in_folder("file.gz.part")));
    sha256[0] = sha256[0] == '0' ? '1' : '0';
    CHECK_FAILS(ctx, get(ctx, "file.gz"), RHEO_FORMAT, "another checksum");
    assert_false(rheo__file_exists(in_folder("file.gz")));
    assert_false(rheo__file_exists(in_folder("file.gz.part")));
    CHECK_FAILS(ctx, rheo__fetch_file(ctx, "file:///etc/passwd", sha256, in_folder("file.gz")),
                RHEO_IO, "download failed");
    CHECK_FAILS(ctx, rheo__fetch_file(ctx, base, sha256, in_folder("no/such/folder/file.gz")),
                RHEO_IO, "cannot be written");
    rheo_context_free(ctx);
    rheo_context_options options = {.threads = 1, .interrupt = &interrupt};
    interrupt = 1;
    assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
    CHECK_FAILS(ctx, get(ctx, "file.gz"), RHEO_INTERRUPTED, "run the same command again");
    rheo_context_free(ctx);
}

/* ---- a known set ------------------------------------------------------------------------------
 */

static void names(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_text text = {.ctx = ctx};
    CHECK_OK(ctx, rheo__data_fetch(ctx, "digits", &text));
    assert_non_null(strstr(text.data, "built in"));
    CHECK_FAILS(ctx, rheo__data_fetch(ctx, "mnits", &text), RHEO_USAGE, "did you mean 'mnist'?");
    setenv("XDG_DATA_HOME", in_folder("home"), 1);
    setenv("RHEOBASE_MIRROR", base, 1);
    CHECK_FAILS(ctx, rheo__data_fetch(ctx, "mnist", &text), RHEO_MISSING,
                "/mnist/train-images-idx3-ubyte.gz: download failed");
    rheo__text_free(&text);
    rheo_context_free(ctx);
}

/* MNIST, where it is, served under /mnist, fetched, opened from the user's folder, fetched again.
 */
static void a_set(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    const rheo_known_set *set = rheo__data_find_known("mnist");
    char folder[RHEO_PATH];
    setenv("XDG_DATA_HOME", in_folder("none"), 1);
    if (rheo__data_search(ctx, set, folder) || strlen(folder) > 400) {
        print_message("mnist is not here: skipped\n");
        rheo_context_free(ctx);
        skip();
    }
    put_text(in_folder("www/here"), "");
    assert_int_equal(symlink(folder, in_folder("www/mnist")), 0);
    setenv("XDG_DATA_HOME", in_folder("home"), 1);
    setenv("RHEOBASE_MIRROR", base, 1);
    unsetenv("RHEOBASE_DATA");
    server.cut = server.requests = 0;
    for (int pass = 0; pass < 2; pass++) {
        rheo_text text = {.ctx = ctx};
        CHECK_OK(ctx, rheo__data_fetch(ctx, "mnist", &text));
        assert_non_null(strstr(text.data, pass ? "there already" : "fetched"));
        assert_int_equal(server.requests, 4);
        rheo__text_free(&text);
    }
    rheo_dataset *data = NULL;
    CHECK_OK(ctx, rheo__data_open(ctx, &(rheo_data_request){.name = "mnist"}, &data));
    assert_true(data->file[0].known);
    assert_int_equal(strncmp(data->file[0].path, folder_, strlen(folder_)), 0);
    rheo__data_free(data);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),      cmocka_unit_test(resumed),  cmocka_unit_test(complete_part),
        cmocka_unit_test(wrong_part), cmocka_unit_test(failures), cmocka_unit_test(names),
        cmocka_unit_test(a_set),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
