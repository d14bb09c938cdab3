// SPDX-License-Identifier: Apache-2.0
/** Multi-Paxos as a pure state machine. */
@NullMarked
package io.clowder.consensus.paxos;

import org.jspecify.annotations.NullMarked;
