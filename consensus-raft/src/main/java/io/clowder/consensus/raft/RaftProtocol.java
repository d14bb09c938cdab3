// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.raft;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.CoreSetting;
import io.clowder.api.protocol.Message;
import io.clowder.api.protocol.ProtocolCore;
import io.clowder.api.wire.Codec;
import java.util.List;
import java.util.SortedMap;
import org.osgi.annotation.bundle.Capability;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/** Raft, as a service. */
@Component(immediate = true, property = ConsensusProtocol.PROTOCOL + "=raft")
@Capability(namespace = "io.clowder.consensus", attribute = "protocol=raft")
public final class RaftProtocol implements ConsensusProtocol {
  private static final RaftCodec CODEC = new RaftCodec();

  /** Without state: one serves any number of groups. */
  @Activate
  public RaftProtocol() {}

  @Override
  public ProtocolCore open(CoreSetting setting, Iterable<Message> records) {
    return new RaftCore(setting, new Recovery(setting).replay(records));
  }

  @Override
  public void check(List<NodeId> members, SortedMap<String, String> parameters) {
    if (!parameters.isEmpty()) {
      throw new IllegalArgumentException(
          "parameter '" + parameters.firstKey() + "': raft has no parameters");
    }
  }

  @Override
  public Codec<Message> codec() {
    return CODEC;
  }
}
