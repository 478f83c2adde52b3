/* loss.c: the table of losses. */
#include "loss/loss.h"
#include <string.h>

#define RHEO_LOSS(symbol, name) extern const rheo_loss rheo__loss_##symbol;
#include "loss/losses.def"
#undef RHEO_LOSS

static const rheo_loss *const losses[] = {
#define RHEO_LOSS(symbol, name) &rheo__loss_##symbol,
#include "loss/losses.def"
#undef RHEO_LOSS
};
#define LOSSES (sizeof losses / sizeof losses[0])

const char *const rheo__loss_names[] = {
#define RHEO_LOSS(symbol, name) name,
#include "loss/losses.def"
#undef RHEO_LOSS
    NULL};

const rheo_loss *rheo__loss_at(uint32_t index)
{
    return index < LOSSES ? losses[index] : NULL;
}

const rheo_loss *rheo__loss_find(const char *name)
{
    for (size_t i = 0; i < LOSSES; i++)
        if (strcmp(rheo__loss_names[i], name) == 0) return losses[i];
    return NULL;
}
