// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus.paxos;

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

/** Multi-Paxos, as a service. */
@Component(immediate = true, property = ConsensusProtocol.PROTOCOL + "=paxos")
@Capability(namespace = "io.clowder.consensus", attribute = "protocol=paxos")
public final class PaxosProtocol implements ConsensusProtocol {
  private static final PaxosCodec CODEC = new PaxosCodec();

  /** Without state: one serves any number of groups. */
  @Activate
  public PaxosProtocol() {}

  @Override
  public ProtocolCore open(CoreSetting setting, Iterable<Message> records) {
    Quorums quorums = Quorums.of(setting.members().size(), setting.parameters());
    return new PaxosCore(setting, new Recovery(setting).replay(quorums, records));
  }

  @Override
  public void check(List<NodeId> members, SortedMap<String, String> parameters) {
    Quorums.of(members.size(), parameters);
  }

  @Override
  public Codec<Message> codec() {
    return CODEC;
  }
}
