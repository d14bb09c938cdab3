// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import io.clowder.itests.probe.Load;
import io.clowder.itests.probe.Tasks;
import io.clowder.itests.probe.Workshop;
import io.clowder.itests.probe.Workshop.Deed;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.After;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.FixMethodOrder;
import org.junit.Test;
import org.junit.runners.MethodSorters;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.Version;

/**
 * Tasks of three containers, while whatever runs them comes, changes and goes: bundles of handlers,
 * the scheduler's own, nodes, the protocol, the whole cluster. Each ends once, and none is lost.
 */
@FixMethodOrder(MethodSorters.NAME_ASCENDING)
public class TaskIT {
  private static final int WAIT_MILLIS = 30_000;
  private static final int SOME = 20;
  private static final int SLOTS = 4;
  private static final String SCHEDULER = "io.clowder.scheduler";

  /** What all nodes have, of types {@code it/*}. */
  private static final String WORKER = "it.worker";

  private static final List<FelixNode> cluster = new ArrayList<>();
  private static Path dir = Path.of("");
  private static String members = "";

  /** What a test has installed. */
  private final List<Bundle> installed = new ArrayList<>();

  @BeforeClass
  public static void start() throws Exception {
    dir = Files.createTempDirectory("tasks");
    members = Ports.members(3);
    ProbeBundle.worker(dir.resolve("it.jar"), WORKER, "1.0.0", "it/*");
    for (int i = 1; i <= 3; i++) {
      cluster.add(start("n" + i));
    }
  }

  private static FelixNode start(String id) throws Exception {
    FelixNode node =
        FelixNode.start(
            dir,
            id,
            members,
            Map.of(
                "io.clowder.consensus.group~main",
                // A snapshot so often that a test sees several.
                Map.of("snapshot.entries", "500"),
                SCHEDULER,
                Map.of("drain.seconds", "1", "slots", "" + SLOTS, "labels", "node=" + id)),
            BundleFiles.OWN);
    node.install(dir.resolve("it.jar"));
    return node;
  }

  @AfterClass
  public static void stop() throws Exception {
    for (FelixNode node : cluster) {
      node.stop();
    }
  }

  @Before
  public void allWork() throws Exception {
    for (FelixNode node : cluster) {
      node.awaitServing();
    }
    awaitWorkers("it/*", "n1", "n2", "n3");
  }

  @After
  public void nothingIsLeft() throws Exception {
    for (Bundle bundle : installed) {
      bundle.uninstall();
    }
    assertEquals(0, tasks(0).counts().notOver());
  }

  @Test
  public void aTaskRunsWhereItMayAndItsResultIsEverywhere() throws Exception {
    for (int i = 0; i < 3; i++) {
      String where = "n" + (i + 1);
      String id = shell((i + 1) % 3, "task:submit it/echo for-" + where + " --label node=" + where);
      assertEquals("for-" + where, shell((i + 2) % 3, "task:result " + id + " --wait 20s"));
      Deed deed = Workshop.await(Long.parseLong(id), 1, WAIT_MILLIS);
      assertEquals(where, deed.node());
      assertEquals("task/" + id, deed.resource());
      assertTrue(deed.toString(), deed.token() > 0 && deed.attempt() == 1);
    }
    // Of many, each node gets some.
    List<Long> many = new ArrayList<>();
    for (int i = 0; i < 3 * SLOTS; i++) {
      many.add(tasks(0).submit("it/hold", "many", null));
    }
    Workshop.await(it -> it.payload().equals("many"), 3 * SLOTS, WAIT_MILLIS);
    Map<String, Long> shares =
        Workshop.deeds(it -> it.payload().equals("many")).stream()
            .collect(Collectors.groupingBy(Deed::node, Collectors.counting()));
    assertEquals(Map.of("n1", 4L, "n2", 4L, "n3", 4L), shares);
    Workshop.open("many");
    for (long task : many) {
      assertEquals(1, succeeded(1, task).attempts());
    }
  }

  @Test
  public void whatWaitsForAHandlerRunsWhenItsBundleComes() throws Exception {
    List<Long> waiting = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      waiting.add(tasks(0).submit("late/echo", "late-" + i, null));
    }
    String why = "no node has a handler for late/echo";
    assertTrue(shell(1, "task:list --type 'late/*'").contains(why));
    assertTrue(shell(1, "task:status").contains(why));
    Bundle bundle = install("n2", "it.late", "late/*");
    for (int i = 0; i < waiting.size(); i++) {
      assertEquals("late-" + i, succeeded(2, waiting.get(i)).value());
      assertEquals("n2", Workshop.await(waiting.get(i), 1, WAIT_MILLIS).node());
    }
    assertTrue(shell(2, "task:handlers").matches("(?s).*late/\\* +n2\n.*|.*late/\\* +n2$"));
    bundle.stop();
    long again = tasks(1).submit("late/echo", "again", null);
    assertTrue(shell(0, "task:info " + again).contains(why));
    bundle.start();
    assertEquals("again", succeeded(0, again).value());
  }

  @Test
  public void aHandlerThatIsUpdatedLetsItsTasksEnd() throws Exception {
    Bundle bundle = install("n1", "it.updated", "updated/*");
    long task = tasks(1).submit("updated/hold", "soon", null);
    Workshop.await(task, 1, WAIT_MILLIS);
    CompletableFuture<Version> update =
        CompletableFuture.supplyAsync(() -> update(bundle, "updated/*"));
    awaitWorkers("updated/*");
    Workshop.open("soon");
    Tasks.Result result = succeeded(1, task);
    assertEquals("n1 1.0.0", result.value());
    assertEquals(1, result.attempts());
    assertEquals(Version.parseVersion("2.0.0"), update.get(WAIT_MILLIS, TimeUnit.MILLISECONDS));
    assertEquals("n1 2.0.0", succeeded(1, tasks(1).submit("updated/hold", "soon", null)).value());
  }

  private static Version update(Bundle bundle, String types) {
    Path file = dir.resolve(bundle.getSymbolicName() + "-2.jar");
    try (InputStream in =
        Files.newInputStream(ProbeBundle.worker(file, bundle.getSymbolicName(), "2.0.0", types))) {
      bundle.update(in);
      return bundle.getVersion();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  public void whatAHandlerDoesNotEndIsGivenBackUnharmed() throws Exception {
    long failed = tasks(0).counts().failed();
    Bundle first = install("n1", "it.given", "given/*");
    long task = tasks(1).submit("given/hold", "given", null);
    assertEquals("1.0.0", Workshop.await(task, 1, WAIT_MILLIS).version());
    update(first, "given/*");
    Deed second = Workshop.await(task, 2, WAIT_MILLIS);
    assertEquals("n1 2.0.0", second.node() + " " + second.version());

    install("n2", "it.given", "given/*");
    awaitWorkers("given/*", "n1", "n2");
    first.stop();
    Deed third = Workshop.await(task, 3, WAIT_MILLIS);
    assertEquals("n2 1.0.0", third.node() + " " + third.version());
    Workshop.open("given");
    assertEquals(new Tasks.Result("SUCCEEDED", "n2 1.0.0", 3), tasks(0).result(task));
    assertRisingTokens(Workshop.deeds(it -> it.task() == task));
    assertUnharmed(task, failed);
  }

  @Test
  public void whatANodeThatClosedSaysLateIsNothing() throws Exception {
    FelixNode closed = node("n3");
    final long failed = tasks(0).counts().failed();
    drain("n1", "n2");
    long task = tasks(0).submit("it/stubborn", "late", null);
    assertEquals("n3", Workshop.await(task, 1, WAIT_MILLIS).node());
    long tame = tasks(0).submit("it/hold", "tame", null);
    assertEquals("n3", Workshop.await(tame, 1, WAIT_MILLIS).node());
    drainNoMore("n1", "n2");
    closed.stop();
    Deed second = Workshop.await(task, 2, WAIT_MILLIS);
    Workshop.await(tame, 2, WAIT_MILLIS);
    assertNotEquals("n3", second.node());
    awaitWorkers("it/*", "n1", "n2");
    Workshop.open("late/1");
    Workshop.open("tame");
    assertEquals(2, succeeded(0, tame).attempts());
    Workshop.open("late/2");
    assertEquals(new Tasks.Result("SUCCEEDED", second.node() + " 1.0.0", 2), tasks(0).result(task));
    assertRisingTokens(Workshop.deeds(it -> it.task() == task));
    assertUnharmed(task, failed);
    cluster.set(2, start("n3"));
    awaitWorkers("it/*", "n1", "n2", "n3");
    String where = shell(2, "task:submit it/echo back --label node=n3 --wait 20s");
    assertEquals("back", where);
  }

  @Test
  public void theSchedulersBundleIsStoppedStartedAndUpdated() throws Exception {
    final long failed = tasks(0).counts().failed();
    Bundle scheduler = node("n2").bundle(SCHEDULER);
    drain("n1", "n3");
    long task = tasks(0).submit("it/hold", "scheduler", null);
    assertEquals("n2", Workshop.await(task, 1, WAIT_MILLIS).node());
    drainNoMore("n1", "n3");
    scheduler.stop();
    Deed second = Workshop.await(task, 2, WAIT_MILLIS);
    assertNotEquals("n2", second.node());
    awaitWorkers("it/*", "n1", "n3");
    assertThrows(IllegalStateException.class, () -> node("n2").probe().shell("task:status"));
    scheduler.start();
    awaitWorkers("it/*", "n1", "n2", "n3");

    // What waits there for an end is told that it has to ask again.
    FelixNode n2 = node("n2");
    long other = n2.probe().tasks().submit("it/hold", "other", null);
    Workshop.await(other, 1, WAIT_MILLIS);
    scheduler.update();
    awaitWorkers("it/*", "n1", "n2", "n3");
    Workshop.open("scheduler");
    Workshop.open("other");
    assertEquals(second.node() + " 1.0.0", n2.probe().tasks().result(task).value());
    succeeded(1, other);
    node("n2").refresh(scheduler);
    awaitWorkers("it/*", "n1", "n2", "n3");
    assertEquals("refreshed", shell(1, "task:submit it/echo refreshed --wait 20s"));
    assertUnharmed(task, failed);
    assertUnharmed(other, failed);
  }

  @Test
  public void aNodeWhoseProtocolIsStoppedIsGivenNothing() throws Exception {
    final long failed = tasks(0).counts().failed();
    drain("n1", "n3");
    long held = tasks(0).submit("it/hold", "protocol", null);
    assertEquals("n2", Workshop.await(held, 1, WAIT_MILLIS).node());
    drainNoMore("n1", "n3");
    Bundle raft = node("n2").bundle("io.clowder.consensus-raft");
    raft.stop();
    for (int i = 0; i < SLOTS; i++) {
      long task = tasks(i % 2 * 2).submit("it/echo", "elsewhere", null);
      assertEquals(1, succeeded(0, task).attempts());
      assertNotEquals("n2", Workshop.await(task, 1, WAIT_MILLIS).node());
    }
    // What it had goes on, and is heard when it is back.
    Workshop.open("protocol");
    raft.start();
    assertEquals(new Tasks.Result("SUCCEEDED", "n2 1.0.0", 1), tasks(2).result(held));
    assertEquals("back", shell(0, "task:submit it/echo back --label node=n2 --wait 20s"));
    assertEquals(failed, tasks(0).counts().failed());
  }

  @Test
  public void whatWaitsOutlivesTheCluster() throws Exception {
    long waiting = tasks(0).submit("outlive/hold", "outlive", null);
    long delayed = Long.parseLong(shell(0, "task:submit it/echo delayed --delay 1h"));
    shell(0, "task:schedule nightly it/echo night --cron '0 3 * * *' --zone Europe/Berlin");
    shell(0, "task:pause it/paused");
    shell(0, "task:limit it/limited --concurrency 3 --rate 2 --queue 9");
    shell(0, "task:drain n3");
    String plans = shell(0, "task:schedules -o json");
    for (FelixNode node : cluster) {
      node.stop();
    }
    cluster.clear();
    for (int i = 1; i <= 3; i++) {
      cluster.add(start("n" + i));
    }
    allWork();
    assertEquals(2, tasks(1).counts().notOver());
    assertEquals(plans, shell(1, "task:schedules -o json"));
    assertTrue(shell(1, "task:info " + delayed).contains("waits for its time"));
    assertTrue(shell(1, "task:status").contains("is paused"));
    assertTrue(
        shell(1, "task:limit it/limited -o json")
            .contains("\"concurrency\": 3, \"rate\": 2, \"queue\": 9"));
    assertTrue(shell(1, "task:nodes").matches("(?s).*n3 .* yes .*"));
    install("n2", "it.outlive", "outlive/*");
    Workshop.await(waiting, 1, WAIT_MILLIS);
    Workshop.open("outlive");
    assertEquals("n2 1.0.0", succeeded(2, waiting).value());

    shell(1, "task:cancel " + delayed);
    shell(1, "task:schedules --remove nightly");
    shell(1, "task:pause it/paused --end");
    shell(1, "task:limit it/limited --concurrency 0 --rate 0 --queue 0");
    drainNoMore("n3");
  }

  @Test
  public void nothingIsLostOrDoneTwiceOverSwaps() throws Exception {
    Tasks.Counts before = tasks(0).counts();
    long held = tasks(0).submit("it/hold", "swaps", null);
    Workshop.await(held, 1, WAIT_MILLIS);
    List<Load> loads = new ArrayList<>();
    for (FelixNode node : cluster) {
      loads.add(node.probe().tasks().load("swaps-" + node.id(), "it/echo"));
    }
    awaitProgress(loads);
    for (String protocol : List.of("paxos", "raft")) {
      String said = shell(1, "clowder:swap " + protocol);
      assertTrue(said, said.contains("prepared " + protocol));
      awaitProgress(loads);
    }
    for (Load load : loads) {
      assertEquals(List.of(), load.stop().failures());
    }
    assertNull(await(() -> tasks(0).counts().notOver() == 1 ? null : tasks(0).counts()));
    Workshop.open("swaps");
    assertEquals(1, succeeded(2, held).attempts());
    Tasks.Counts after = tasks(0).counts();
    long done = after.submitted() - before.submitted();
    assertEquals(done, after.succeeded() - before.succeeded());
    assertEquals(before.failed(), after.failed());
    List<Deed> deeds = Workshop.deeds(it -> it.task() == held || it.payload().startsWith("swaps-"));
    assertEquals("each was begun once", done, deeds.size());
    Map<String, List<Deed>> byKey = deeds.stream().collect(Collectors.groupingBy(Deed::resource));
    assertEquals(byKey.keySet().toString(), 4, byKey.size());
    byKey.values().forEach(TaskIT::assertRisingTokens);
  }

  @Test
  public void noInstantComesTwice() throws Exception {
    shell(0, "task:schedule tick it/echo tick --every 200ms");
    awaitTicks(3);
    shell(1, "clowder:swap paxos");
    awaitTicks(3);
    FelixNode leader = leader();
    Bundle consensus = leader.bundle("io.clowder.consensus");
    consensus.stop();
    awaitTicks(3);
    consensus.start();
    for (FelixNode node : cluster) {
      node.awaitServing();
    }
    awaitTicks(3);
    shell(0, "clowder:swap raft");
    awaitTicks(3);
    shell(0, "task:schedules --remove tick");
    awaitNothingLeft();
    Map<String, Long> byInstant = new HashMap<>();
    for (Deed deed : Workshop.deeds(it -> it.payload().equals("tick"))) {
      Long other = byInstant.put(String.valueOf(deed.instant()), deed.task());
      assertTrue(deed + " and " + other, other == null || other == deed.task());
    }
    assertTrue(byInstant.keySet().toString(), byInstant.size() >= 15);
    assertEquals("no schedules", shell(2, "task:schedules"));
  }

  private static void awaitTicks(int more) throws InterruptedException {
    int before = Workshop.deeds(it -> it.payload().equals("tick")).size();
    Workshop.await(it -> it.payload().equals("tick"), before + more, WAIT_MILLIS);
  }

  @Test
  public void runnablesRunWhenTheirPropertiesSay() throws Exception {
    AtomicInteger runs = new AtomicInteger();
    List<ServiceRegistration<Runnable>> all = new ArrayList<>();
    for (FelixNode node : cluster) {
      all.add(
          runnable(
              node,
              runs::incrementAndGet,
              Map.of(
                  "scheduler.name", "one", "scheduler.period", 1L, "scheduler.runOn", "SINGLE")));
    }
    assertNull(await(() -> runs.get() >= 3 ? null : runs.get()));
    assertEquals("every 1s", schedule("runnable/one").get("when"));
    // One node's each time.
    int before = runs.get();
    String fired = String.valueOf(schedule("runnable/one").get("fired"));
    assertTrue(before + " of " + fired, before <= Integer.parseInt(fired));

    // Its own on each node; it moves when it is told to, and ends with the service.
    AtomicInteger own = new AtomicInteger();
    ServiceRegistration<Runnable> its =
        runnable(
            node("n2"),
            own::incrementAndGet,
            Map.of("scheduler.name", "own", "scheduler.expression", "* * * * * ?"));
    assertNull(await(() -> own.get() >= 1 ? null : own.get()));
    assertTrue(String.valueOf(schedule("runnable/own/n2").get("when")).startsWith("* * * * * ? "));
    its.setProperties(
        FrameworkUtil.asDictionary(
            Map.of("scheduler.name", "own", "scheduler.period", 3_600L, "other", true)));
    awaitHourly("runnable/own/n2");
    its.setProperties(
        FrameworkUtil.asDictionary(
            Map.of("scheduler.name", "new", "scheduler.period", 1L, "scheduler.runOn", "n2")));
    int until = own.get();
    assertNull(await(() -> own.get() > until ? null : own.get()));
    assertEquals(Map.of(), schedule("runnable/own/n2"));
    its.setProperties(
        FrameworkUtil.asDictionary(
            Map.of("scheduler.name", "new", "scheduler.period", 1L, "scheduler.runOn", "n3")));
    assertNull(await(() -> schedule("runnable/new/n2").isEmpty() ? null : "still there"));
    its.setProperties(
        FrameworkUtil.asDictionary(Map.of("scheduler.name", "back", "scheduler.period", 1L)));
    assertNull(await(() -> schedule("runnable/back/n2").isEmpty() ? "not yet" : null));
    its.unregister();
    assertNull(await(() -> schedule("runnable/back/n2").isEmpty() ? null : "still there"));

    // What runs goes on when its properties change.
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    CompletableFuture<Boolean> wasLeftAlone = new CompletableFuture<>();
    Runnable waits =
        () -> {
          begun.countDown();
          try {
            wasLeftAlone.complete(end.await(WAIT_MILLIS, TimeUnit.MILLISECONDS));
          } catch (InterruptedException e) {
            wasLeftAlone.complete(false);
          }
        };
    ServiceRegistration<Runnable> waiting =
        runnable(node("n1"), waits, Map.of("scheduler.name", "waits", "scheduler.period", 1L));
    assertTrue(begun.await(WAIT_MILLIS, TimeUnit.MILLISECONDS));
    waiting.setProperties(
        FrameworkUtil.asDictionary(Map.of("scheduler.name", "waits", "scheduler.period", 3_600L)));
    awaitHourly("runnable/waits/n1");
    end.countDown();
    assertTrue(wasLeftAlone.get(WAIT_MILLIS, TimeUnit.MILLISECONDS));
    waiting.unregister();

    // That of all stays until somebody removes it.
    all.get(0).unregister();
    all.get(1).unregister();
    int later = runs.get();
    assertNull(await(() -> runs.get() >= later + 2 ? null : runs.get()));
    shell(1, "task:schedules --remove runnable/one");
    awaitNothingLeft();
    all.get(2).unregister();
  }

  private static ServiceRegistration<Runnable> runnable(
      FelixNode node, Runnable task, Map<String, Object> properties) {
    return node.context()
        .registerService(Runnable.class, task, FrameworkUtil.asDictionary(properties));
  }

  private static void awaitHourly(String name) throws Exception {
    assertNull(
        await(
            () -> {
              String when = schedule(name).get("when");
              return "every 1h".equals(when) ? null : when;
            }));
  }

  /** What the shell says of a schedule; nothing if there is none. */
  private static Map<String, String> schedule(String name) throws Exception {
    return Rows.of(shell(0, "task:schedules -o json")).stream()
        .filter(it -> name.equals(it.get("name")))
        .findFirst()
        .orElse(Map.of());
  }

  @Test
  public void bundlesHaveAnExecutorThatTheClusterKeepsTheTimeOf() throws Exception {
    BundleContext context = node("n2").context();
    ServiceReference<ScheduledExecutorService> reference =
        context.getServiceReference(ScheduledExecutorService.class);
    ScheduledExecutorService executor = context.getService(reference);
    assertEquals(
        "done",
        executor
            .schedule(() -> "done", 10, TimeUnit.MILLISECONDS)
            .get(WAIT_MILLIS, TimeUnit.MILLISECONDS));
    AtomicInteger runs = new AtomicInteger();
    Future<?> every =
        executor.scheduleAtFixedRate(runs::incrementAndGet, 0, 50, TimeUnit.MILLISECONDS);
    assertNull(await(() -> runs.get() >= 3 ? null : runs.get()));
    every.cancel(false);
    // It ends with its user.
    context.ungetService(reference);
    assertTrue(executor.isShutdown());
    awaitNothingLeft();
  }

  @Test
  public void drainsPausesAndLimitsAreTheClusters() throws Exception {
    drain("n1");
    List<Long> tasks = new ArrayList<>();
    for (int i = 0; i < 2 * SLOTS; i++) {
      tasks.add(tasks(0).submit("it/hold", "drained", null));
    }
    long oneMore = tasks(0).submit("it/hold", "drained", null);
    for (long task : tasks) {
      assertNotEquals("n1", Workshop.await(task, 1, WAIT_MILLIS).node());
    }
    assertTrue(shell(2, "task:info " + oneMore).contains("all slots are taken"));
    drainNoMore("n1");
    assertEquals("n1", Workshop.await(oneMore, 1, WAIT_MILLIS).node());
    Workshop.open("drained");
    succeeded(0, oneMore);
    for (long task : tasks) {
      succeeded(0, task);
    }

    shell(1, "task:pause it/echo");
    long paused = tasks(0).submit("it/echo", "paused", null);
    assertTrue(shell(2, "task:info " + paused).contains("type it/echo is paused"));
    shell(2, "task:pause it/echo --end");
    assertEquals("paused", succeeded(0, paused).value());

    shell(1, "task:limit it/hold --concurrency 1 --queue 2");
    long first = tasks(0).submit("it/hold", "limited", null);
    long second = tasks(1).submit("it/hold", "limited", null);
    Workshop.await(first, 1, WAIT_MILLIS);
    assertTrue(shell(2, "task:info " + second).contains("as many of its type run as may, 1"));
    assertTrue(refused(2, "task:submit it/hold limited").contains("all it may have"));
    Workshop.open("limited");
    succeeded(0, first);
    succeeded(0, second);
    shell(0, "task:limit it/hold --concurrency 0 --queue 0");
  }

  // ---- what is used above ----------------------------------------------------------------------

  private static FelixNode node(String id) {
    return cluster.stream().filter(it -> it.id().equals(id)).findFirst().orElseThrow();
  }

  private static Tasks tasks(int node) throws InterruptedException {
    return cluster.get(node).probe().tasks();
  }

  private static String shell(int node, String line) throws InterruptedException {
    return cluster.get(node).probe().shell(line);
  }

  private static String refused(int node, String line) {
    return String.valueOf(
        assertThrows(line, IllegalStateException.class, () -> shell(node, line)).getMessage());
  }

  private Bundle install(String node, String name, String types) throws Exception {
    Path file = ProbeBundle.worker(dir.resolve(name + ".jar"), name, "1.0.0", types);
    Bundle bundle = node(node).install(file);
    installed.add(bundle);
    return bundle;
  }

  private static Tasks.Result succeeded(int node, long task) throws Exception {
    Tasks.Result result = tasks(node).result(task);
    assertEquals(task + ": " + result, "SUCCEEDED", result.state());
    return result;
  }

  /** No attempt has failed since. */
  private static void assertUnharmed(long task, long failed) throws Exception {
    String info = shell(0, "task:info " + task + " -o json");
    assertTrue(info, !info.contains("failed attempts") && !info.contains("lost nodes"));
    assertEquals(failed, tasks(0).counts().failed());
  }

  private static void assertRisingTokens(List<Deed> deeds) {
    List<Long> tokens = deeds.stream().map(Deed::token).toList();
    assertEquals(tokens.stream().sorted().distinct().toList(), tokens);
  }

  private static void drain(String... nodes) throws InterruptedException {
    for (String node : nodes) {
      shell(0, "task:drain " + node);
    }
  }

  private static void drainNoMore(String... nodes) throws InterruptedException {
    for (String node : nodes) {
      shell(0, "task:drain --end " + node);
    }
  }

  /** Until every task is over. */
  private static void awaitNothingLeft() throws Exception {
    assertNull(await(() -> tasks(0).counts().notOver() == 0 ? null : tasks(0).counts()));
  }

  /** Until these nodes run tasks of a kind, and no others do. */
  private static void awaitWorkers(String pattern, String... nodes) throws Exception {
    String wrong =
        await(
            () -> {
              String said =
                  Rows.of(shell(0, "task:handlers -o json")).stream()
                      .filter(it -> pattern.equals(it.get("type")))
                      .map(it -> String.valueOf(it.get("nodes")))
                      .findFirst()
                      .orElse("");
              List<String> found =
                  said.isEmpty() ? List.of() : List.of(said.split(", ")).stream().sorted().toList();
              return found.equals(List.of(nodes)) ? null : "handlers of " + pattern + ": " + found;
            });
    assertNull(wrong);
  }

  /** What is wrong, at last; null as soon as nothing is. */
  private static <T> T await(Callable<T> fault) throws Exception {
    List<T> last = new ArrayList<>();
    Deadline.in(Duration.ofMillis(WAIT_MILLIS))
        .until(
            () -> {
              last.clear();
              last.add(fault.call());
              return last.get(0) == null;
            });
    return last.get(0);
  }

  private static void awaitProgress(List<Load> loads) throws InterruptedException {
    for (Load load : loads) {
      load.awaitProgress(SOME, WAIT_MILLIS);
    }
  }

  private static FelixNode leader() throws Exception {
    List<FelixNode> leading = new ArrayList<>();
    boolean found =
        Deadline.in(Duration.ofMillis(WAIT_MILLIS))
            .until(
                () -> {
                  leading.clear();
                  for (FelixNode node : cluster) {
                    if (node.probe().view().role().equals("leader")) {
                      leading.add(node);
                    }
                  }
                  return leading.size() == 1;
                });
    assertTrue("leaders: " + leading.stream().map(FelixNode::id).toList(), found);
    return leading.get(0);
  }
}
