// SPDX-License-Identifier: Apache-2.0
/** What a test and the bundle that it puts into a framework have in common. */
@NullMarked
package io.clowder.itests.probe;

import org.jspecify.annotations.NullMarked;
