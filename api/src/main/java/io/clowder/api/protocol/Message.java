// SPDX-License-Identifier: Apache-2.0
package io.clowder.api.protocol;

/**
 * What a core sends to another core, or writes to its journal. Each protocol has its own sealed
 * vocabulary; the driver carries messages and turns them into bytes by {@link
 * ConsensusProtocol#codec()}, and understands none.
 */
public interface Message {}
