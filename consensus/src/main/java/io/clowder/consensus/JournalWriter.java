// SPDX-License-Identifier: Apache-2.0
package io.clowder.consensus;

import io.clowder.api.NodeId;
import io.clowder.api.protocol.Message;
import io.clowder.api.runtime.GatheringJournal;
import io.clowder.api.storage.Journal;
import io.clowder.api.wire.Codec;
import io.clowder.api.wire.WireWriter;
import java.util.concurrent.Executor;

/** The records of a segment on their way to its journal. */
final class JournalWriter extends GatheringJournal {
  /** Kinds of record: the driver's own, and the core's. */
  static final int SEGMENT = 1;

  static final int CORE = 2;
  static final int DIRECTORY = 3;

  private final Codec<Message> codec;

  JournalWriter(Journal journal, Codec<Message> codec, Executor disk, Outcome outcome) {
    super(journal, disk, outcome);
    this.codec = codec;
  }

  /** Adds a core's record to the batch that gathers. */
  void append(long tag, Message message) {
    WireWriter out = begin();
    out.writeByte(CORE);
    codec.write(message, out);
    end(tag);
  }

  /** Adds the segment's description, which must be in the journal whatever is trimmed. */
  void append(long tag, Segment segment) {
    WireWriter out = begin();
    out.writeByte(SEGMENT);
    segment.write(out);
    end(tag);
  }

  /** Adds who a node was found to be, which must be known before the next vote. */
  void append(long tag, NodeId node, long incarnation) {
    begin().writeByte(DIRECTORY).writeString(node.value()).writeLong(incarnation);
    end(tag);
  }
}
