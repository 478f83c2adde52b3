/* balance.h: first weights scaled so that layers fire at a rate. */
#ifndef RHEO_SRC_BALANCE_H
#define RHEO_SRC_BALANCE_H
#include "learn/learn.h"

/* Scales the trained parameters in front of every hidden spiking population, from the input on,
 * until it fires at `rate` spikes a neuron and step. forward(arg) runs the plan on the same samples
 * with the parameters as they are. The result depends on net, samples and seed only. */
void rheo__balance(rheo_session *session, const rheo_plan *plan, double rate,
                   void (*forward)(void *arg), void *arg);
#endif
