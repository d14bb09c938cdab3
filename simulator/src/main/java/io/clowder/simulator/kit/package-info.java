// SPDX-License-Identifier: Apache-2.0
@NullMarked
package io.clowder.simulator.kit;

import org.jspecify.annotations.NullMarked;
