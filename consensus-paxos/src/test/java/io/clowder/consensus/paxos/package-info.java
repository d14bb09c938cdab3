// SPDX-License-Identifier: Apache-2.0
/** Tests of the core by script (traces) and by chance (a toy world), and of its bytes. */
@NullMarked
package io.clowder.consensus.paxos;

import org.jspecify.annotations.NullMarked;
