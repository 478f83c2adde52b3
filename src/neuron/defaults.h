/* defaults.h: what a model header may leave out (model.h). */
#ifndef RHEO_EDGE
#define RHEO_EDGE 0
#endif
#ifndef RHEO_DRAWS
#define RHEO_DRAWS 0
#endif
#ifndef RHEO_PLAIN
#define RHEO_PLAIN 1
#endif
#ifndef RHEO_LEANS
#define RHEO_LEANS 0
#endif
#ifndef RHEO_IDLE
#define RHEO_IDLE(at, form) false
#endif
