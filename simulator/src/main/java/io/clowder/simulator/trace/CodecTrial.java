// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator.trace;

import io.clowder.api.protocol.Message;
import io.clowder.api.wire.Codec;
import io.clowder.api.wire.WireFormatException;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A protocol's codec on trial.
 *
 * @param vocabulary how its messages look as text
 */
public record CodecTrial(Codec<Message> codec, Vocabulary vocabulary) {
  /** The bytes of messages, in hexadecimal, by their texts. */
  public SortedMap<String, String> bytes(Collection<String> texts) {
    SortedMap<String, String> bytes = new TreeMap<>();
    for (String text : texts) {
      bytes.put(text, HexFormat.of().formatHex(write(vocabulary.parse(text))));
    }
    return bytes;
  }

  /**
   * The kinds of messages, each of which is read as it was written.
   *
   * @throws AssertionError if one is not
   */
  public Set<Class<?>> kinds(Collection<String> texts) {
    Set<Class<?>> kinds = new HashSet<>();
    for (String text : texts) {
      Message message = vocabulary.parse(text);
      kinds.add(message.getClass());
      WireReader in = new WireReader(write(message));
      Message read = codec.read(in);
      in.expectEnd();
      if (!read.equals(message)) {
        throw new AssertionError(message + " is read as " + read);
      }
    }
    return kinds;
  }

  /** The records of a sealed interface. */
  public static Set<Class<?>> kinds(Class<?> sealed) {
    Set<Class<?>> found = new HashSet<>();
    for (Class<?> permitted : sealed.getPermittedSubclasses()) {
      if (permitted.isRecord()) {
        found.add(permitted);
      } else {
        found.addAll(kinds(permitted));
      }
    }
    return found;
  }

  /** How many damaged messages were refused, and how many were other messages. */
  public record Damage(int refused, int read) {}

  /**
   * Damages messages, given by their bytes in hexadecimal. What is read must be a message.
   *
   * @throws AssertionError if it is not written as it is read
   * @throws RuntimeException if anything but a refusal is thrown
   */
  public Damage damage(Collection<String> bytes, int times) {
    SplittableRandom random = new SplittableRandom(7);
    List<byte[]> seeds = new ArrayList<>();
    bytes.forEach(hex -> seeds.add(HexFormat.of().parseHex(hex)));
    int refused = 0;
    int read = 0;
    for (int i = 0; i < times; i++) {
      byte[] damaged = seeds.get(random.nextInt(seeds.size())).clone();
      for (int flips = random.nextInt(3); flips > 0; flips--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      try {
        int length = random.nextInt(4) == 0 ? random.nextInt(damaged.length) : damaged.length;
        Message message = codec.read(new WireReader(damaged, 0, length));
        if (!message.equals(codec.read(new WireReader(write(message))))) {
          throw new AssertionError(message + " is not read as it is written");
        }
        read++;
      } catch (WireFormatException e) {
        refused++;
      }
    }
    return new Damage(refused, read);
  }

  private byte[] write(Message message) {
    WireWriter out = new WireWriter(64);
    codec.write(message, out);
    return out.toByteArray();
  }
}
