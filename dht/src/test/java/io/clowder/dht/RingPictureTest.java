// SPDX-License-Identifier: Apache-2.0
package io.clowder.dht;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.dht.Dht.Mode;
import io.clowder.api.dht.LookupResult;
import io.clowder.api.dht.RingView;
import io.clowder.api.dht.RingView.Place;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** {@code -Dpictures.rewrite=true} writes the picture that is expected anew: look at it then. */
class RingPictureTest {
  private static final Path GOLDEN = Path.of("src/test/resources/ring.svg");

  private static final List<Place> SMALL =
      List.of(
          NotedDht.place("n1", "10", "rack1", 0.25, "member"),
          NotedDht.place("n2", "40", "rack2", 0.1875, "member"),
          NotedDht.place("n3", "90", "rack1", 0.3125, "leaving"),
          NotedDht.place("n4", "a0", "rack2", -1, "joining"),
          NotedDht.place("n5", "d0", "rack2", 0.25, "member"));

  @Test
  void aSmallRingWithALookupLooksAsItDid() throws Exception {
    String picture = RingPicture.of(view(Mode.PEER, SMALL), found("80", "n5", "n3"));
    if (Boolean.getBoolean("pictures.rewrite")) {
      Files.writeString(GOLDEN, picture);
    }
    assertEquals(Files.readString(GOLDEN), picture);
    parsed(picture);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 8, 12, 13, 50, 200})
  void anyRingIsWellFormedAndTheSameEachTime(int count) throws Exception {
    for (Mode mode : Mode.values()) {
      RingView view = view(mode, hashed(count));
      String picture = RingPicture.of(view);
      assertEquals(picture, RingPicture.of(view(mode, hashed(count))));
      Document document = parsed(picture);
      assertEquals(count, classed(document, "circle", "member").size());
      assertEquals(mode == Mode.PEER ? count : 0, classed(document, "path", "arc").size());
      assertEquals(Math.min(1, count), classed(document, "circle", "self").size());
      assertTexts(document, view);
      assertInside(document);
    }
  }

  @Test
  void membersAreWhereTheirIdentifiersSay() throws Exception {
    Document document =
        parsed(
            RingPicture.of(
                view(
                    Mode.CONSISTENT,
                    List.of(
                        NotedDht.place("n1", "00", "", 0.25, "member"),
                        NotedDht.place("n2", "40", "", 0.25, "member"),
                        NotedDht.place("n3", "80", "", 0.25, "member"),
                        NotedDht.place("n4", "c0", "", 0.25, "member")))));
    List<Element> members = classed(document, "circle", "member");
    double[] x = members.stream().mapToDouble(it -> number(it, "cx")).toArray();
    double[] y = members.stream().mapToDouble(it -> number(it, "cy")).toArray();
    // Zero is at the top; a quarter further is at the right.
    assertEquals(x[0], x[2], 0.1);
    assertEquals(y[1], y[3], 0.1);
    assertTrue(y[0] < y[2] && x[1] > x[3]);
    assertEquals(x[1] - x[3], y[2] - y[0], 0.2);
    assertEquals(0, RingPicture.angle("0".repeat(40)));
    assertEquals(90, RingPicture.angle("4" + "0".repeat(39)));
    assertEquals(360, RingPicture.angle("f".repeat(40)), 1e-9);
  }

  @Test
  void inModePeerAnArcEndsAtItsOwnerAndAJoiningMemberHasNone() throws Exception {
    Document document = parsed(RingPicture.of(view(Mode.PEER, SMALL)));
    List<Element> members = classed(document, "circle", "member");
    List<Element> arcs = classed(document, "path", "arc");
    assertEquals(4, arcs.size());
    String[] before = {"n5", "n1", "n2", "n3"};
    String[] owner = {"n1", "n2", "n3", "n5"};
    for (int i = 0; i < owner.length; i++) {
      String path = arcs.get(i).getAttribute("d");
      assertTrue(path.startsWith("M" + centre(members, before[i]) + " A"), path);
      assertTrue(path.endsWith(" " + centre(members, owner[i])), path);
    }
    assertEquals("#ffffff", member(members, "n4").getAttribute("fill"));
    assertEquals("3 2", member(members, "n3").getAttribute("stroke-dasharray"));
  }

  @Test
  void aLookupIsAnArrowForEachHopFromThisNode() throws Exception {
    Document document =
        parsed(RingPicture.of(view(Mode.PEER, SMALL), found("80", "n5", "n9", "n2", "n3")));
    List<Element> members = classed(document, "circle", "member");
    List<Element> hops = classed(document, "line", "hop");
    // n9 is not known: no arrow leads there, or away from it.
    assertEquals(2, hops.size());
    assertEquals(centre(members, "n1"), start(hops.get(0)));
    assertEquals(centre(members, "n2"), start(hops.get(1)));
    assertEquals("#c00000", member(members, "n3").getAttribute("stroke"));
    assertTrue(
        document.getDocumentElement().getTextContent().contains("owner n3, hops 4"),
        "the description says it, too");
    assertEquals(
        0,
        classed(parsed(RingPicture.of(view(Mode.PEER, SMALL), found("80"))), "line", "hop").size());
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void whatPeopleNameThingsBreaksNothing(Mode mode) throws Exception {
    String name = "<script>alert('1')</script>&amp;\"]]>%s%n\u0000\u001b\uD800\uFFFF𝄞";
    List<Place> places =
        List.of(
            NotedDht.place("n" + "-_.".repeat(21), "10", name, 0.5, name),
            NotedDht.place("n2", "10", "x".repeat(1000), 2, "member"),
            NotedDht.place("n3", "f", "", Double.NaN, ""));
    RingView view =
        new RingView(name, mode, 1, name, 3, new NodeId("n2"), true, null, List.of(), places);
    Document document = parsed(RingPicture.of(view, found("80", "n2")));
    assertEquals(0, document.getElementsByTagName("script").getLength());
    String title = document.getElementsByTagName("title").item(0).getTextContent();
    assertTrue(title.contains("<script>alert('1')</script>&amp;\"]]>%s%n\uFFFD\uFFFD"), title);
  }

  /** Each label is there, and none of more than a dozen is nearer to the next than a line. */
  private static void assertTexts(Document document, RingView view) {
    List<Element> labels =
        elements(document.getElementsByTagName("text")).stream()
            .filter(it -> it.hasAttribute("font-weight"))
            .toList();
    assertEquals(view.places().size(), labels.size());
    for (int i = 0; i < labels.size(); i++) {
      for (int j = 0; j < i; j++) {
        double x = number(labels.get(i), "x") - number(labels.get(j), "x");
        double y = number(labels.get(i), "y") - number(labels.get(j), "y");
        assertTrue(Math.hypot(x, y) > 13, labels.get(i).getTextContent());
      }
    }
  }

  private static void assertInside(Document document) {
    Element svg = document.getDocumentElement();
    double width = number(svg, "width");
    double height = number(svg, "height");
    for (Element text : elements(document.getElementsByTagName("text"))) {
      assertTrue(number(text, "x") > 0 && number(text, "x") < width, text.getTextContent());
      assertTrue(number(text, "y") > 0 && number(text, "y") < height, text.getTextContent());
    }
  }

  private static RingView view(Mode mode, List<Place> places) {
    return new RingView(
        "main",
        mode,
        mode == Mode.PEER ? 0 : 7,
        "SHA-1",
        3,
        new NodeId("n1"),
        true,
        null,
        List.of(),
        places);
  }

  private static List<Place> hashed(int count) {
    return IntStream.rangeClosed(1, count)
        .mapToObj(i -> "n" + i)
        .map(
            node ->
                new Place(
                    new NodeId(node),
                    Identifier.hash("SHA-1", node.getBytes(StandardCharsets.UTF_8)).toString(),
                    "",
                    1.0 / count,
                    "member"))
        .sorted(Comparator.comparing(Place::identifier))
        .toList();
  }

  private static LookupResult found(String digits, String... path) {
    List<NodeId> nodes = NotedDht.nodes(path);
    NodeId owner = nodes.isEmpty() ? new NodeId("n1") : nodes.get(nodes.size() - 1);
    return new LookupResult(
        digits + "0".repeat(40 - digits.length()), owner, List.of(), nodes, 0, 0, 0);
  }

  private static Document parsed(String picture) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    DocumentBuilder parser = factory.newDocumentBuilder();
    Document document =
        parser.parse(new ByteArrayInputStream(picture.getBytes(StandardCharsets.UTF_8)));
    Element svg = document.getDocumentElement();
    assertEquals("http://www.w3.org/2000/svg", svg.getNamespaceURI());
    assertEquals("img", svg.getAttribute("role"));
    assertFalse(document.getElementsByTagName("title").item(0).getTextContent().isEmpty());
    assertFalse(document.getElementsByTagName("desc").item(0).getTextContent().isEmpty());
    return document;
  }

  private static List<Element> classed(Document document, String tag, String type) {
    return elements(document.getElementsByTagName(tag)).stream()
        .filter(it -> it.getAttribute("class").equals(type))
        .toList();
  }

  private static List<Element> elements(NodeList nodes) {
    List<Element> elements = new ArrayList<>();
    for (int i = 0; i < nodes.getLength(); i++) {
      elements.add((Element) nodes.item(i));
    }
    return elements;
  }

  private static Element member(List<Element> members, String node) {
    return members.stream()
        .filter(it -> it.getTextContent().strip().startsWith(node + " "))
        .findFirst()
        .orElseThrow();
  }

  private static String centre(List<Element> members, String node) {
    Element member = member(members, node);
    return member.getAttribute("cx") + " " + member.getAttribute("cy");
  }

  private static String start(Element line) {
    return line.getAttribute("x1") + " " + line.getAttribute("y1");
  }

  private static double number(Element element, String attribute) {
    return Double.parseDouble(element.getAttribute(attribute));
  }
}
