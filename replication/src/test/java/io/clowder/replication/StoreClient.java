// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.CoordinationException.Outcome;
import io.clowder.api.NodeId;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.store.Freshness;
import io.clowder.api.store.RequestId;
import io.clowder.api.store.Step;
import io.clowder.simulator.History;
import io.clowder.simulator.Operation.Kind;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Asks one thing after the other, of any node, and retries writes by their request id. */
final class StoreClient {
  private static final int ATTEMPTS = 5;

  private final ReplicaWorld world;
  private final History history;
  private final int number;
  private final int keys;
  private final Map<String, Long> versions = new HashMap<>();
  private long requests;
  private int round;
  private NodeId favourite;
  boolean isStopped;
  long reads;
  long glances;
  long writes;

  /** Values, unique in a history. */
  static final class Values {
    private long last;

    long next() {
      return ++last;
    }
  }

  private final Values values;
  private final Tokens tokens;

  StoreClient(
      ReplicaWorld world, History history, Values values, Tokens tokens, int number, int keys) {
    this.world = world;
    this.history = history;
    this.values = values;
    this.tokens = tokens;
    this.number = number;
    this.keys = keys;
    this.favourite = world.boxes.get(0).node;
    world.after(world.random.nextLong(50 * ReplicaWorld.MILLI), this::next);
  }

  private static byte[] bytes(long value) {
    return ByteBuffer.allocate(8).putLong(value).array();
  }

  static long value(byte[] bytes) {
    return ByteBuffer.wrap(bytes).getLong();
  }

  private void pause() {
    world.after(world.around(5 * ReplicaWorld.MILLI), this::next);
  }

  private void next() {
    if (isStopped) {
      return;
    }
    round++;
    String key = "k" + world.random.nextInt(keys);
    int choice = world.random.nextInt(20);
    if (choice < 6) {
      new Reading(key).attempt();
    } else if (choice < 9) {
      long bound = 30 + world.random.nextLong(471);
      new Glancing(key, Freshness.bounded(Duration.ofMillis(bound))).attempt();
    } else if (choice < 10) {
      new Glancing(key, Freshness.LOCAL).attempt();
    } else if (choice < 15) {
      write(Op.of(new Step.Put(key, bytes(values.next()))));
    } else if (choice < 17) {
      write(
          Op.of(new Step.CompareAndSet(key, versions.getOrDefault(key, 0L), bytes(values.next()))));
    } else if (choice < 19) {
      write(Op.of(new Step.Delete(key)));
    } else {
      Step.Put one = new Step.Put("k0", bytes(values.next()));
      Step.Put other = new Step.Put("k1", bytes(values.next()));
      write(Op.of(one, other));
    }
  }

  private void write(Op op) {
    boolean isFenced = world.random.nextInt(4) == 0;
    new Writing(isFenced ? new Op(op.steps(), tokens.next(world.random)) : op).attempt();
  }

  private Box anyBox() {
    return world.boxes.get(world.random.nextInt(world.boxes.size()));
  }

  /** Who was the primary when it last worked, who is now, or anybody. */
  private Box likelyPrimary() {
    ReplicaId primary = world.consensus.config().primary();
    int choice = world.random.nextInt(10);
    if (choice < 5) {
      return world.box(favourite);
    }
    return choice < 8 && primary != null ? world.box(primary.node()) : anyBox();
  }

  /** One request, in its attempts; only the latest of them is listened to. */
  private abstract class Asking {
    private final int mine = round;
    private int attempts;
    private int current;
    boolean mayHaveHappened;

    abstract void send(Box box, Box.Caller caller);

    abstract void done(Answer answer);

    abstract void failed();

    void attempt() {
      if (mine != round) {
        return;
      } else if (attempts++ == ATTEMPTS) {
        current = -1;
        failed();
        pause();
        return;
      }
      int attempt = ++current;
      Box box = box();
      world.after(world.travel(), () -> send(box, caller(attempt, box)));
      long timeout = (60 + world.random.nextLong(400)) * ReplicaWorld.MILLI;
      world.after(
          timeout,
          () -> {
            if (mine == round && attempt == current) {
              mayHaveHappened = true;
              attempt();
            }
          });
    }

    abstract Box box();

    private Box.Caller caller(int attempt, Box box) {
      return new Box.Caller() {
        @Override
        public void answered(Answer answer) {
          world.after(
              world.travel(),
              () -> {
                if (mine == round && attempt <= current) {
                  current = -1;
                  favourite = box.node;
                  done(answer);
                  pause();
                }
              });
        }

        @Override
        public void refused(Refusal reason, Outcome outcome) {
          mayHaveHappened |= outcome == Outcome.MAY_HAVE_HAPPENED;
          world.after(world.travel() + world.around(30 * ReplicaWorld.MILLI), () -> retry(attempt));
        }
      };
    }

    private void retry(int attempt) {
      if (mine == round && attempt == current) {
        attempt();
      }
    }
  }

  private final class Reading extends Asking {
    private final String key;
    private final int operation;

    Reading(String key) {
      this.key = key;
      this.operation = history.begin(number, key, Kind.GET, 0, 0);
    }

    @Override
    Box box() {
      return anyBox();
    }

    @Override
    void send(Box box, Box.Caller caller) {
      box.read(caller, Freshness.LINEARIZABLE, key);
    }

    @Override
    void done(Answer answer) {
      reads++;
      List<KvEntry> rows = ((Answer.Entries) answer).rows();
      if (!rows.isEmpty()) {
        KvEntry found = rows.get(0);
        versions.put(key, found.version());
        history.done(operation, value(found.value()), found.version());
      } else {
        versions.remove(key);
        history.done(operation, 0, 0);
      }
    }

    @Override
    void failed() {
      // A read of which nothing is known says nothing.
    }
  }

  /** A read that may miss something. What it does miss is checked where it is answered. */
  private final class Glancing extends Asking {
    private final String key;
    private final Freshness freshness;

    Glancing(String key, Freshness freshness) {
      this.key = key;
      this.freshness = freshness;
    }

    @Override
    Box box() {
      return anyBox();
    }

    @Override
    void send(Box box, Box.Caller caller) {
      box.read(new Glance(world, box, freshness, key, caller), freshness, key);
    }

    @Override
    void done(Answer answer) {
      glances++;
    }

    @Override
    void failed() {
      // It says nothing.
    }
  }

  private final class Writing extends Asking {
    private final Op op;
    private final RequestId request = new RequestId(number, ++requests);
    private final int[] operations;

    Writing(Op op) {
      this.op = op;
      this.operations = op.steps().stream().mapToInt(this::begin).toArray();
    }

    private int begin(Step step) {
      if (step instanceof Step.Put put) {
        return history.begin(number, put.key(), Kind.PUT, value(put.value()), 0);
      } else if (step instanceof Step.CompareAndSet cas) {
        return history.begin(number, cas.key(), Kind.CAS, value(cas.value()), cas.expected());
      }
      return history.begin(number, step.key(), Kind.DELETE, 0, 0);
    }

    @Override
    Box box() {
      return likelyPrimary();
    }

    @Override
    void send(Box box, Box.Caller caller) {
      box.write(caller, request, op);
    }

    @Override
    void done(Answer answer) {
      writes++;
      if (answer instanceof Answer.Changed changed && op.fence() != null) {
        tokens.written(changed.version(), op.fence().token());
      }
      for (int i = 0; i < operations.length; i++) {
        boolean isDelete = op.steps().get(i) instanceof Step.Delete;
        if (answer instanceof Answer.Changed changed && isDelete) {
          history.done(operations[i], changed.existed() ? 1 : 0, 0);
        } else if (answer instanceof Answer.Changed changed) {
          byte[] value = values(i);
          history.done(operations[i], value(value), changed.version());
          versions.put(op.steps().get(i).key(), changed.version());
        } else if (answer instanceof Answer.Stale) {
          history.didNotHappen(operations[i]);
        } else if (answer instanceof Answer.Conflict) {
          history.conflict(operations[i]);
          versions.remove(op.steps().get(i).key());
        }
      }
    }

    private byte[] values(int i) {
      Step step = op.steps().get(i);
      return step instanceof Step.Put put ? put.value() : ((Step.CompareAndSet) step).value();
    }

    @Override
    void failed() {
      if (!mayHaveHappened) {
        for (int operation : operations) {
          history.didNotHappen(operation);
        }
      }
    }
  }
}
