/* sets.c: the known data sets, and where they are looked for. Their checksums are of the unpacked
 * content, because distributions pack the files anew. */
#include "data/read.h"
#include "base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MNIST_AT   "https://ossci-datasets.s3.amazonaws.com/mnist/"
#define FASHION_AT "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"

static const char *const fashion_classes[] = {"T-shirt/top", "trouser",    "pullover", "dress",
                                              "coat",        "sandal",     "shirt",    "sneaker",
                                              "bag",         "ankle boot", NULL};

static const rheo_known_set sets[] = {
    {.name = "mnist",
     .title = "MNIST: handwritten digits",
     .licence = "commonly CC BY-SA 3.0",
     .source = "Y. LeCun, C. Cortes, C. J. C. Burges, http://yann.lecun.com/exdb/mnist/",
     .folder = "/usr/share/datasets/mnist",
     .file = {{"train-images-idx3-ubyte.gz",
               "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
               MNIST_AT "train-images-idx3-ubyte.gz"},
              {"train-labels-idx1-ubyte.gz",
               "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
               MNIST_AT "train-labels-idx1-ubyte.gz"},
              {"t10k-images-idx3-ubyte.gz",
               "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
               MNIST_AT "t10k-images-idx3-ubyte.gz"},
              {"t10k-labels-idx1-ubyte.gz",
               "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
               MNIST_AT "t10k-labels-idx1-ubyte.gz"}},
     .train = 60000,
     .test = 10000,
     .shape = {1, 28, 28},
     .classes = 10},
    {.name = "fashion-mnist",
     .title = "Fashion-MNIST: photographs of clothes",
     .licence = "MIT",
     .source = "H. Xiao, K. Rasul, R. Vollgraf (2017), arXiv 1708.07747",
     .folder = "/usr/share/datasets/fashion-mnist",
     .package = "dataset-fashion-mnist",
     .file = {{"train-images-idx3-ubyte.gz",
               "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
               FASHION_AT "train-images-idx3-ubyte.gz"},
              {"train-labels-idx1-ubyte.gz",
               "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
               FASHION_AT "train-labels-idx1-ubyte.gz"},
              {"t10k-images-idx3-ubyte.gz",
               "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
               FASHION_AT "t10k-images-idx3-ubyte.gz"},
              {"t10k-labels-idx1-ubyte.gz",
               "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
               FASHION_AT "t10k-labels-idx1-ubyte.gz"}},
     .train = 60000,
     .test = 10000,
     .shape = {1, 28, 28},
     .classes = 10,
     .class_name = fashion_classes},
    {.name = "digits",
     .title = "UCI digits: handwritten, 8x8 pixels of 17 levels",
     .licence = "CC BY 4.0",
     .source = "E. Alpaydin, C. Kaynak (1998), UCI Machine Learning Repository, "
               "doi:10.24432/C50P49, its test part",
     .train = 1297,
     .test = 500,
     .shape = {1, 8, 8},
     .classes = 10},
};

const rheo_known_set *rheo__data_known(uint32_t index)
{
    return index < sizeof sets / sizeof *sets ? &sets[index] : NULL;
}

const rheo_known_set *rheo__data_find_known(const char *name)
{
    const rheo_known_set *set;
    for (uint32_t i = 0; (set = rheo__data_known(i)); i++)
        if (!strcmp(set->name, name)) return set;
    return NULL;
}

/* ---- where ------------------------------------------------------------------------------------
 */

rheo_status rheo__data_home(rheo_context *ctx, const char *name, char *folder)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    bool xdg = data && *data;
    RHEO_CHECK(ctx, xdg || (home && *home), RHEO_MISSING,
               "user's data folder: neither XDG_DATA_HOME nor HOME is set; set one of them");
    int n = snprintf(folder, RHEO_PATH, "%s%s/rheobase/%s", xdg ? data : home,
                     xdg ? "" : "/.local/share", name);
    RHEO_CHECK(ctx, n < RHEO_PATH, RHEO_USAGE, "user's data folder: the path is longer than %d",
               RHEO_PATH - 1);
    return RHEO_OK;
}

typedef struct search {
    rheo_context *ctx;
    const rheo_known_set *set;
    char *folder;     /* the candidate */
    char looked[600]; /* for the message */
    rheo_status status;
} search;

static bool holds(search *s, bool check)
{
    char path[RHEO_PATH], sha256[65] = "", *data = NULL;
    size_t size, used = strlen(s->looked);
    snprintf(s->looked + used, sizeof s->looked - used, "%s%s", used ? ", " : "", s->folder);
    if (!rheo__idx_find(s->folder, s->set->file[0].name, path)) return false;
    if (!check) return true;
    /* A folder that is not named after the set may hold another set under the same file names. */
    if (!rheo__idx_find(s->folder, s->set->file[3].name, path)) return false;
    s->status = rheo__file_read(s->ctx, path, (size_t)1 << 24, &data, &size);
    if (!s->status) rheo__sha256(data, size, sha256);
    rheo__release(s->ctx, data);
    return !strcmp(sha256, s->set->file[3].sha256);
}

static bool on_path(search *s)
{
    const char *path = getenv("RHEOBASE_DATA");
    while (path && *path) {
        size_t n = strcspn(path, ":");
        if (n > 0 && n + strlen(s->set->name) + 2 < RHEO_PATH) {
            memcpy(s->folder, path, n);
            snprintf(s->folder + n, RHEO_PATH - n, "/%s", s->set->name);
            if (holds(s, false)) return true;
            s->folder[n] = '\0';
            if (holds(s, true)) return true;
        }
        path += n + (path[n] == ':');
    }
    return false;
}

rheo_status rheo__data_search(rheo_context *ctx, const rheo_known_set *set, char *folder)
{
    search s = {.ctx = ctx, .set = set, .folder = folder};
    if (on_path(&s)) return RHEO_OK;
    if (s.status == RHEO_MEMORY) return s.status;
    if (!rheo__data_home(ctx, set->name, folder) && holds(&s, false)) return RHEO_OK;
    if (set->folder) {
        snprintf(folder, RHEO_PATH, "%s", set->folder);
        if (holds(&s, false)) return RHEO_OK;
    }
    return rheo__fail(ctx, RHEO_MISSING,
                      "data set '%s': not found in %s; %s%s%srun 'rheobase data fetch %s', or set "
                      "RHEOBASE_DATA to the folder that holds it",
                      set->name, s.looked, set->package ? "install the package " : "",
                      set->package ? set->package : "", set->package ? ", " : "", set->name);
}
