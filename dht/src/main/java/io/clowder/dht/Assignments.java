// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.Map;
import java.util.RandomAccess;

/** The assignments of all partitions; a list that is never changed, and cheap to change. */
final class Assignments extends AbstractList<Assignment> implements RandomAccess {
  /** As many to a chunk as there are chunks in the largest table. */
  private static final int CHUNK = 256;

  private final Assignment[][] chunks;
  private final int size;

  private Assignments(Assignment[][] chunks, int size) {
    this.chunks = chunks;
    this.size = size;
  }

  /** All of them the same. */
  static Assignments of(int size, Assignment each) {
    Assignment[] all = new Assignment[size];
    Arrays.fill(all, each);
    return of(all);
  }

  static Assignments of(Assignment[] all) {
    Assignment[][] chunks = new Assignment[(all.length + CHUNK - 1) / CHUNK][];
    for (int i = 0; i < chunks.length; i++) {
      chunks[i] = Arrays.copyOfRange(all, i * CHUNK, Math.min(all.length, i * CHUNK + CHUNK));
    }
    return new Assignments(chunks, all.length);
  }

  /** With others in some places; shares the chunks in which there is none. */
  Assignments with(Map<Integer, Assignment> changed) {
    Assignment[][] next = chunks.clone();
    changed.forEach(
        (partition, assignment) -> {
          int chunk = partition / CHUNK;
          if (next[chunk] == chunks[chunk]) {
            next[chunk] = chunks[chunk].clone();
          }
          next[chunk][partition % CHUNK] = assignment;
        });
    return new Assignments(next, size);
  }

  @Override
  public Assignment get(int partition) {
    if (partition < 0 || partition >= size) {
      throw new IndexOutOfBoundsException("partition " + partition + " of " + size);
    }
    return chunks[partition / CHUNK][partition % CHUNK];
  }

  @Override
  public int size() {
    return size;
  }
}
