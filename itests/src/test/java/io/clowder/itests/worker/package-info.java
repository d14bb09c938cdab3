// SPDX-License-Identifier: Apache-2.0
/** A bundle that runs tasks: what is updated, stopped and closed in the middle of them. */
@NullMarked
package io.clowder.itests.worker;

import org.jspecify.annotations.NullMarked;
