/* rheobase/rheobase.h: everything. */
#ifndef RHEOBASE_RHEOBASE_H
#define RHEOBASE_RHEOBASE_H
#include <rheobase/base.h>
#include <rheobase/net.h>
#include <rheobase/recipe.h>
#endif
