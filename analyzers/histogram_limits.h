/* SPDX-License-Identifier: Apache-2.0 */
/* The table behind histogram.c; others ask histogram_bin_limit. */
#ifndef ANALYZERS_HISTOGRAM_LIMITS_H
#define ANALYZERS_HISTOGRAM_LIMITS_H

#include <stdint.h>

#include "analyzers/histogram.h"

extern const int64_t histogram_limits[HISTOGRAM_BINS];

#endif
