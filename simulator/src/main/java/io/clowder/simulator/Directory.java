// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The names in one directory twice: as programs see them, and as they are on the medium. */
final class Directory {
  /** A name that is given to a file, or taken away, or both in one step. */
  private record Pending(
      long operation, @Nullable String removed, @Nullable String added, @Nullable Inode file) {}

  private final SortedMap<String, Inode> visible = new TreeMap<>();
  private final SortedMap<String, Inode> durable = new TreeMap<>();
  private final List<Pending> pending = new ArrayList<>();

  @Nullable Inode get(String name) {
    return visible.get(name);
  }

  Collection<String> names() {
    return visible.keySet();
  }

  Collection<Inode> files() {
    return visible.values();
  }

  void link(long operation, String name, Inode file) {
    change(new Pending(operation, null, name, file));
  }

  void unlink(long operation, String name) {
    change(new Pending(operation, name, null, null));
  }

  void rename(long operation, String source, String target) {
    change(new Pending(operation, source, target, visible.get(source)));
  }

  void sync() {
    pending.forEach(change -> apply(change, durable));
    pending.clear();
  }

  void crash(Loss loss) {
    for (var change : pending) {
      if (loss.keeps(change.operation(), Loss.METADATA)) {
        apply(change, durable);
      }
    }
    pending.clear();
    visible.clear();
    visible.putAll(durable);
  }

  void pending(SimulatedDisk.PendingVisitor visitor) {
    pending.forEach(change -> visitor.pending(change.operation(), Loss.METADATA, Loss.METADATA));
  }

  /** A copy whose files are copies, each file once however many names refer to it. */
  Directory copy() {
    var copy = new Directory();
    List<Inode> originals = new ArrayList<>();
    List<Inode> copies = new ArrayList<>();
    visible.forEach((name, file) -> copy.visible.put(name, once(file, originals, copies)));
    durable.forEach((name, file) -> copy.durable.put(name, once(file, originals, copies)));
    for (var change : pending) {
      var file = change.file();
      copy.pending.add(
          new Pending(
              change.operation(),
              change.removed(),
              change.added(),
              file == null ? null : once(file, originals, copies)));
    }
    return copy;
  }

  private void change(Pending change) {
    apply(change, visible);
    pending.add(change);
  }

  private static void apply(Pending change, SortedMap<String, Inode> names) {
    var removed = change.removed();
    if (removed != null) {
      names.remove(removed);
    }
    var added = change.added();
    var file = change.file();
    if (added != null && file != null) {
      names.put(added, file);
    }
  }

  /** Files are few; the lists stand in for a map by identity, which would have no order. */
  private static Inode once(Inode file, List<Inode> originals, List<Inode> copies) {
    for (int i = 0; i < originals.size(); i++) {
      if (originals.get(i) == file) {
        return copies.get(i);
      }
    }
    var copy = file.copy();
    originals.add(file);
    copies.add(copy);
    return copy;
  }
}
