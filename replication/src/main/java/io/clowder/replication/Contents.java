// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.Limits;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.store.RequestId;
import io.clowder.api.wire.WireReader;
import io.clowder.api.wire.WireWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import org.pcollections.TreePMap;

/**
 * What the committed records made: the entries, and the results of the latest requests of each
 * client. A function of the records alone, so that replicas that applied as many are equal.
 *
 * <p>The entries are a persistent map: to keep those of one moment, for a snapshot or to compare
 * replicas, takes nothing. Among them, under keys that no client may use, are what the store itself
 * has to remember: the tokens that resources have seen.
 */
final class Contents {
  /** Longest key in bytes, with what marks the store's own. */
  static final int KEY_BYTES = Limits.KEY_BYTES + 8;

  /** Keys of clients come after those of the store. */
  static final String OWN = "\0";

  /** No key of the store comes after this, none of a client's before. */
  private static final String CLIENTS = OWN + Character.MAX_VALUE;

  /** Touched by a write at which replicas are to be compared. */
  static final String MARK = OWN + "mark";

  private static final String FENCE = OWN + "fence/";
  private static final String FENCES_END = OWN + "fence0";

  /** The largest token that was forgotten. */
  static final String FORGOTTEN = OWN + "forgotten";

  /** A value and its version. */
  record Versioned(byte[] value, long version) {}

  /** In the order of their last writes. */
  private final LinkedHashMap<Long, Results> clients = new LinkedHashMap<>();

  private TreePMap<String, Versioned> entries = TreePMap.empty();
  private int own;
  private int results;

  /** The results of the client that wrote last; null if nobody did. */
  private @Nullable Results newest;

  void apply(LogRecord record) {
    for (LogRecord.Effect effect : record.effects()) {
      int before = entries.size();
      entries =
          effect.value() == null
              ? entries.minus(effect.key())
              : entries.plus(effect.key(), new Versioned(effect.value(), record.seq()));
      if (effect.key().startsWith(OWN)) {
        own += entries.size() - before;
      }
    }
    if (!record.request().equals(RequestId.NONE)) {
      remember(record.request(), record.result());
    }
  }

  private void remember(RequestId request, Answer.Written result) {
    Results client = client(request.client());
    results += 1 - client.forget(RequestId.REMEMBERED - 1);
    client.add(request.number(), result);
    if (results > RequestId.REMEMBERED_OF_ALL) {
      clients.values().forEach(it -> results -= it.forget((it.size() + 1) / 2));
    }
    if (clients.size() > RequestId.CLIENTS) {
      Iterator<Results> oldest = clients.values().iterator();
      results -= oldest.next().size();
      oldest.remove();
    }
  }

  /** The results of a client, which is the one that wrote last from now on. */
  private Results client(long id) {
    Results client = clients.get(id);
    if (client == null || client != newest) {
      clients.remove(id);
      client = client == null ? new Results() : client;
      clients.put(id, client);
      newest = client;
    }
    return client;
  }

  @Nullable Versioned get(String key) {
    return entries.get(key);
  }

  /** All entries, the store's own among them. */
  TreePMap<String, Versioned> entries() {
    return entries;
  }

  /** Entries of clients. */
  int size() {
    return entries.size() - own;
  }

  /** What a reader is told. */
  Answer look(Query query) {
    return look(entries, query);
  }

  /** What a reader of these entries is told. */
  static Answer look(TreePMap<String, Versioned> entries, Query query) {
    if (query instanceof Query.Get get) {
      Versioned found = entries.get(get.key());
      return new Answer.Entries(
          found == null ? List.of() : List.of(new KvEntry(get.key(), found.value, found.version)));
    } else if (query instanceof Query.Scan scan) {
      return new Answer.Entries(page(entries, scan));
    }
    throw new AssertionError("cannot look for " + query.getClass());
  }

  private static List<KvEntry> page(TreePMap<String, Versioned> entries, Query.Scan scan) {
    String from = scan.prefix().compareTo(CLIENTS) < 0 ? CLIENTS : scan.prefix();
    String after = scan.after();
    SortedMap<String, Versioned> rest =
        after == null || after.compareTo(from) < 0
            ? entries.tailMap(from, true)
            : entries.tailMap(after, false);
    List<KvEntry> rows = new ArrayList<>();
    int room = Limits.RESULT_BYTES;
    for (Map.Entry<String, Versioned> entry : rest.entrySet()) {
      Versioned it = entry.getValue();
      room -= 3 * entry.getKey().length() + it.value.length + 32;
      if (rows.size() == scan.limit() || room < 0 || !entry.getKey().startsWith(scan.prefix())) {
        break;
      }
      rows.add(new KvEntry(entry.getKey(), it.value, it.version));
    }
    return rows;
  }

  // ---- requests ------------------------------------------------------------------------------

  /** What became of a request; null if it is not remembered. */
  Answer.@Nullable Written result(RequestId request) {
    Results client = clients.get(request.client());
    return client == null ? null : client.get(request.number());
  }

  /** Whether nobody can tell any more if a request was applied. */
  boolean isForgotten(RequestId request) {
    Results client = clients.get(request.client());
    return client != null && request.number() <= client.forgotten();
  }

  // ---- fences --------------------------------------------------------------------------------

  static String fence(String resource) {
    return FENCE + resource;
  }

  /** Resources whose tokens are known by name, and a few more. */
  int fences() {
    return own;
  }

  /** The keys of some resources with the smallest tokens, and at the end that with the largest. */
  List<String> smallestFences(int count) {
    List<Map.Entry<String, Versioned>> all =
        new ArrayList<>(entries.subMap(FENCE, FENCES_END).entrySet());
    all.sort(Comparator.comparingLong(it -> token(it.getValue().value)));
    return all.stream().limit(count).map(Map.Entry::getKey).toList();
  }

  static long token(byte @Nullable [] value) {
    return value == null ? 0 : new WireReader(value).readLong();
  }

  static byte[] token(long token) {
    return new WireWriter(8).writeLong(token).toByteArray();
  }

  // ---- images --------------------------------------------------------------------------------

  /** All of it, as it is after a record. */
  Image image(long seq, long epoch) {
    WireWriter out = new WireWriter(1024).writeVarLong(clients.size());
    clients.forEach((id, client) -> client.write(out.writeLong(id)));
    return new Image(seq, epoch, entries, out.toByteArray());
  }

  /** Becomes what an image shows. */
  void become(Image image) {
    entries = image.entries();
    own = entries.headMap(CLIENTS).size();
    clients.clear();
    newest = null;
    results = 0;
    if (image.clients().length == 0) {
      return;
    }
    WireReader in = new WireReader(image.clients());
    for (int left = in.readCount(); left > 0; left--) {
      long id = in.readLong();
      Results client = Results.read(in);
      results += client.size();
      clients.put(id, client);
    }
    in.expectEnd();
  }
}
