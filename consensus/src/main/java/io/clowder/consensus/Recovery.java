// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.ConsensusProtocol;
import io.clowder.api.protocol.Message;
import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Storage;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the journal of a segment holds: its description, and the records of its core.
 *
 * @param journal open for appending
 * @param segment null if the journal is new
 * @param directories who each node was found to be
 * @param records of the core, oldest first; empty if they are another protocol's than was asked for
 */
record Recovery(
    Journal journal,
    @Nullable Segment segment,
    Map<NodeId, Long> directories,
    List<Message> records) {

  /** Opens a journal and reads it back; the records of the core only if there is a protocol. */
  static Recovery read(
      Storage storage, String name, String protocolName, @Nullable ConsensusProtocol protocol)
      throws IOException {
    Replay replay = new Replay(name, protocolName, protocol);
    Journal journal = storage.openJournal(name, replay);
    return new Recovery(journal, replay.segment, replay.directories, replay.records);
  }

  private static final class Replay implements Journal.Replay {
    private final String name;
    private final String protocolName;
    private final @Nullable ConsensusProtocol protocol;
    private final List<Message> records = new ArrayList<>();
    private final Map<NodeId, Long> directories = new TreeMap<>();
    private @Nullable Segment segment;

    Replay(String name, String protocolName, @Nullable ConsensusProtocol protocol) {
      this.name = name;
      this.protocolName = protocolName;
      this.protocol = protocol;
    }

    @Override
    public void record(long tag, byte[] bytes) {
      WireReader in = new WireReader(bytes);
      try {
        int kind = in.readByte();
        if (kind == JournalWriter.SEGMENT) {
          describe(Segment.read(in));
        } else if (kind == JournalWriter.CORE) {
          if (protocol != null && (segment == null || segment.protocol().equals(protocolName))) {
            records.add(protocol.codec().read(in));
          }
        } else if (kind == JournalWriter.DIRECTORY) {
          directories.put(new NodeId(in.readString(64)), in.readLong());
        } else {
          throw new WireFormatException("a record of kind " + kind);
        }
      } catch (WireFormatException e) {
        throw new IllegalStateException(
            "journal " + name + " holds what this version cannot read: " + e.getMessage(), e);
      }
    }

    private void describe(Segment found) {
      if (segment != null && !segment.is(found)) {
        throw new IllegalStateException(
            "journal " + name + " describes two segments: " + segment + " and " + found);
      }
      segment = found;
    }
  }
}
