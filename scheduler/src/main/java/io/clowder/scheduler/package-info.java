// SPDX-License-Identifier: Apache-2.0
/** The task scheduler. */
@NullMarked
package io.clowder.scheduler;

import org.jspecify.annotations.NullMarked;
