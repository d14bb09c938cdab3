// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import io.clowder.api.dht.DhtVersion;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What keepers of values say to each other: a byte of kind, a byte of version, the ticket that an
 * answer carries too, the fields.
 */
sealed interface KeeperMessage {
  /** The version that every kind has so far. */
  int VERSION = 1;

  /** The most values, versions or digests in one message. */
  int LIST_MAX = 10_000;

  /** The longest sentence in one, in characters. */
  int TEXT_MAX = 300;

  /** Which question it is or answers. */
  long ticket();

  /** To the owner of a key: do this; to be answered by {@link Told}. */
  record Tell(long ticket, Ask ask) implements KeeperMessage {}

  /** How it went. */
  record Told(long ticket, Answer answer) implements KeeperMessage {}

  /** Keep this, says its owner by an assignment; to be answered by {@link Kept}. */
  record Keep(long ticket, long stamp, Value value) implements KeeperMessage {}

  /** It is kept, or something newer. */
  record Kept(long ticket) implements KeeperMessage {}

  /** What have you of this key? To be answered by {@link Seen}. */
  record Look(long ticket, Identifier id) implements KeeperMessage {}

  /** This, or nothing. */
  record Seen(long ticket, @Nullable Value value) implements KeeperMessage {}

  /**
   * Have you the same in this interval? To be answered by {@link Same}, {@link Parts} or {@link
   * Listing}.
   *
   * @param isReplica whether the sender owns it and says that the receiver is to keep it
   */
  record Compare(
      long ticket, long stamp, boolean isReplica, Interval interval, Values.Digest digest)
      implements KeeperMessage {}

  /**
   * The same.
   *
   * @param isWhole whether the sender owns it, and all its other copies are in order, too
   */
  record Same(long ticket, boolean isWhole) implements KeeperMessage {}

  /** The digests of its parts. */
  record Parts(long ticket, List<Values.Digest> digests) implements KeeperMessage {
    public Parts {
      digests = List.copyOf(digests);
    }
  }

  /** What there is in it. */
  record Listing(long ticket, List<Item> items) implements KeeperMessage {
    public Listing {
      items = List.copyOf(items);
    }
  }

  /**
   * Take these if they are newer than what you have, and forget those that I do not have; to be
   * answered by {@link Given}.
   */
  record Give(long ticket, long stamp, List<Value> values, List<Item> forgotten)
      implements KeeperMessage {
    public Give {
      values = List.copyOf(values);
      forgotten = List.copyOf(forgotten);
    }
  }

  /** It is done. */
  record Given(long ticket) implements KeeperMessage {}

  /** Give me these; to be answered by {@link Gift}. */
  record Want(long ticket, List<Identifier> ids) implements KeeperMessage {
    public Want {
      ids = List.copyOf(ids);
    }
  }

  /**
   * These, of the first ones.
   *
   * @param handled how many of those that were wanted it is about
   * @param waitNanos how long nothing more is to be wanted, so that it is not sent too fast
   */
  record Gift(long ticket, int handled, long waitNanos, List<Value> values)
      implements KeeperMessage {
    public Gift {
      values = List.copyOf(values);
    }
  }

  /** Not for me, or not by this assignment any more. */
  record Refuse(long ticket) implements KeeperMessage {}

  /** What have you altogether? To be answered by {@link Tallied}. */
  record Tally(long ticket) implements KeeperMessage {}

  /**
   * This.
   *
   * @param problems sentences for people
   */
  record Tallied(long ticket, long keys, long bytes, long owned, long moving, List<String> problems)
      implements KeeperMessage {
    public Tallied {
      problems = List.copyOf(problems);
    }
  }

  /** The version of a value. */
  record Item(Identifier id, DhtVersion version) {
    static Item of(Value value) {
      return new Item(value.id(), value.version());
    }

    void write(WireWriter out) {
      id.write(out);
      Value.writeVersion(out, version);
    }

    static Item read(WireReader in) {
      return new Item(Identifier.read(in), Value.readVersion(in));
    }
  }

  /** Writes the bytes of this message. */
  default void write(WireWriter out) {
    if (this instanceof Tell it) {
      it.ask.write(begin(out, 1));
    } else if (this instanceof Told it) {
      it.answer.write(begin(out, 2));
    } else if (this instanceof Keep it) {
      it.value.write(begin(out, 3).writeVarLong(it.stamp));
    } else if (this instanceof Kept) {
      begin(out, 4);
    } else if (this instanceof Look it) {
      it.id.write(begin(out, 5));
    } else if (this instanceof Seen it) {
      begin(out, 6).writeBoolean(it.value != null);
      if (it.value != null) {
        it.value.write(out);
      }
    } else if (this instanceof Compare it) {
      it.interval.write(begin(out, 7).writeVarLong(it.stamp).writeBoolean(it.isReplica));
      writeDigest(out, it.digest);
    } else if (this instanceof Same it) {
      begin(out, 8).writeBoolean(it.isWhole);
    } else if (this instanceof Parts it) {
      begin(out, 9).writeVarLong(it.digests.size());
      it.digests.forEach(digest -> writeDigest(out, digest));
    } else if (this instanceof Listing it) {
      begin(out, 10);
      writeItems(out, it.items);
    } else if (this instanceof Give it) {
      begin(out, 11).writeVarLong(it.stamp);
      writeValues(out, it.values);
      writeItems(out, it.forgotten);
    } else if (this instanceof Given) {
      begin(out, 12);
    } else if (this instanceof Want it) {
      begin(out, 13).writeVarLong(it.ids.size());
      it.ids.forEach(id -> id.write(out));
    } else if (this instanceof Gift it) {
      begin(out, 14).writeVarLong(it.handled).writeVarLong(it.waitNanos);
      writeValues(out, it.values);
    } else if (this instanceof Refuse) {
      begin(out, 15);
    } else if (this instanceof Tally) {
      begin(out, 16);
    } else if (this instanceof Tallied it) {
      begin(out, 17).writeVarLong(it.keys).writeVarLong(it.bytes);
      out.writeVarLong(it.owned).writeVarLong(it.moving).writeVarLong(it.problems.size());
      it.problems.forEach(problem -> out.writeString(cut(problem)));
    } else {
      throw new AssertionError("no bytes for " + getClass());
    }
  }

  /** Names of nodes and words of ours: no character takes more than 3 bytes. */
  private static String cut(String problem) {
    return problem.length() <= TEXT_MAX ? problem : problem.substring(0, TEXT_MAX) + "…";
  }

  private WireWriter begin(WireWriter out, int kind) {
    return out.writeByte(kind).writeByte(VERSION).writeVarLong(ticket());
  }

  private static void writeDigest(WireWriter out, Values.Digest digest) {
    out.writeLong(digest.sum()).writeVarLong(digest.count());
  }

  private static void writeItems(WireWriter out, List<Item> items) {
    out.writeVarLong(items.size());
    items.forEach(it -> it.write(out));
  }

  private static void writeValues(WireWriter out, List<Value> values) {
    out.writeVarLong(values.size());
    values.forEach(it -> it.write(out));
  }

  /**
   * Reads a message, all that is left to read.
   *
   * @throws WireFormatException if the bytes are none, or over a limit
   */
  static KeeperMessage read(WireReader in) {
    int kind = in.readByte();
    int version = in.readByte();
    if (version != VERSION) {
      throw new WireFormatException("message of kind " + kind + " in version " + version);
    }
    long ticket = in.readVarLong();
    KeeperMessage message =
        switch (kind) {
          case 1 -> new Tell(ticket, Ask.read(in));
          case 2 -> new Told(ticket, Answer.read(in));
          case 3 -> new Keep(ticket, in.readVarLong(), Value.read(in));
          case 4 -> new Kept(ticket);
          case 5 -> new Look(ticket, Identifier.read(in));
          case 6 -> new Seen(ticket, in.readBoolean() ? Value.read(in) : null);
          case 7 ->
              new Compare(
                  ticket, in.readVarLong(), in.readBoolean(), Interval.read(in), readDigest(in));
          case 8 -> new Same(ticket, in.readBoolean());
          case 9 -> new Parts(ticket, readList(in, KeeperMessage::readDigest));
          case 10 -> new Listing(ticket, readList(in, Item::read));
          case 11 ->
              new Give(
                  ticket, in.readVarLong(), readList(in, Value::read), readList(in, Item::read));
          case 12 -> new Given(ticket);
          case 13 -> new Want(ticket, readList(in, Identifier::read));
          case 14 ->
              new Gift(
                  ticket, RingMessage.readSmall(in), in.readVarLong(), readList(in, Value::read));
          case 15 -> new Refuse(ticket);
          case 16 -> new Tally(ticket);
          case 17 ->
              new Tallied(
                  ticket,
                  in.readVarLong(),
                  in.readVarLong(),
                  in.readVarLong(),
                  in.readVarLong(),
                  readList(in, it -> it.readString(1_000)));
          default -> throw new WireFormatException("message of unknown kind " + kind);
        };
    in.expectEnd();
    return message;
  }

  private static Values.Digest readDigest(WireReader in) {
    return new Values.Digest(in.readLong(), in.readVarLong());
  }

  private static <T> List<T> readList(WireReader in, Function<WireReader, T> one) {
    int count = in.readCount();
    if (count > LIST_MAX) {
      throw new WireFormatException("a list of " + count);
    }
    List<T> list = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      list.add(one.apply(in));
    }
    return list;
  }
}
