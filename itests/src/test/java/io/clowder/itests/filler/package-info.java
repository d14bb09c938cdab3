// SPDX-License-Identifier: Apache-2.0
/** A bundle that fills a store from inside a node, as a shell cannot: by the million. */
@NullMarked
package io.clowder.itests.filler;

import org.jspecify.annotations.NullMarked;
