// SPDX-License-Identifier: Apache-2.0
/** The bundle that a test puts into a framework. */
@NullMarked
package io.clowder.itests.inside;

import org.jspecify.annotations.NullMarked;
