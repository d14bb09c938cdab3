// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What a node is asked about its copy of a store, by itself or by another node. */
sealed interface Question {
  /** To write. */
  record Write(RequestId request, Op op) implements Question {}

  /** To read. */
  record Read(Freshness freshness, Query query) implements Question {}

  /** To give the primary's place to a node's replica; to any in sync if it is null. */
  record HandOver(@Nullable NodeId to) implements Question {}

  /** Where its log is. */
  record Describe() implements Question {}

  /** What its entries were at a write that touched the mark, and whether its disk is in order. */
  record Digest(long seq) implements Question {}

  /** To give up what it has and to begin anew, if it was taken away. */
  record Retire() implements Question {}

  /** Writes it. */
  default void write(WireWriter out) {
    if (this instanceof Write write) {
      out.writeByte(1).writeLong(write.request.client()).writeVarLong(write.request.number());
      write.op.write(out);
    } else if (this instanceof Read read) {
      out.writeByte(2).writeString(read.freshness.kind().name());
      out.writeVarLong(read.freshness.bound().toMillis());
      read.query.write(out);
    } else if (this instanceof HandOver handOver) {
      out.writeByte(3).writeBoolean(handOver.to != null);
      if (handOver.to != null) {
        out.writeString(handOver.to.value());
      }
    } else if (this instanceof Describe) {
      out.writeByte(4);
    } else if (this instanceof Digest digest) {
      out.writeByte(5).writeVarLong(digest.seq);
    } else if (this instanceof Retire) {
      out.writeByte(6);
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
  }

  /** Reads what {@link #write} wrote. */
  static Question read(WireReader in) {
    int kind = in.readByte();
    return switch (kind) {
      case 1 -> new Write(new RequestId(in.readLong(), in.readVarLong()), Op.read(in));
      case 2 -> new Read(readFreshness(in), Query.read(in));
      case 3 -> new HandOver(in.readBoolean() ? in.readNode() : null);
      case 4 -> new Describe();
      case 5 -> new Digest(in.readVarLong());
      case 6 -> new Retire();
      default -> throw new WireFormatException("question of unknown kind " + kind);
    };
  }

  private static Freshness readFreshness(WireReader in) {
    String kind = in.readString(32);
    long millis = in.readVarLong();
    try {
      return new Freshness(Freshness.Kind.valueOf(kind), Duration.ofMillis(millis));
    } catch (IllegalArgumentException e) {
      throw new WireFormatException("a read of kind " + kind + " with " + millis + " ms");
    }
  }
}
