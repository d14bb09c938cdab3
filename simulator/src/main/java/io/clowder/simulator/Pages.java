// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Bytes that are zero until they are written, in pages: preallocated files cost nothing. */
final class Pages {
  private static final int PAGE = 4096;

  private static final byte[] NOTHING = new byte[PAGE];

  private byte[] @Nullable [] pages = new byte[4][];

  void write(long offset, byte[] source, int from, int length) {
    for (int done = 0; done < length; ) {
      long at = offset + done;
      int within = (int) (at % PAGE);
      int part = Math.min(PAGE - within, length - done);
      System.arraycopy(source, from + done, page((int) (at / PAGE)), within, part);
      done += part;
    }
  }

  void read(long offset, ByteBuffer target, int length) {
    for (int done = 0; done < length; ) {
      long at = offset + done;
      int within = (int) (at % PAGE);
      int part = Math.min(PAGE - within, length - done);
      int index = (int) (at / PAGE);
      byte[] page = index < pages.length ? pages[index] : null;
      if (page == null) {
        page = NOTHING;
      }
      target.put(page, within, part);
      done += part;
    }
  }

  /** Makes the bytes from {@code from} up to {@code to} zero. */
  void clear(long from, long to) {
    for (long at = from; at < to; ) {
      int within = (int) (at % PAGE);
      int part = (int) Math.min(PAGE - within, to - at);
      int index = (int) (at / PAGE);
      byte[] page = index < pages.length ? pages[index] : null;
      if (page == null) {
        if (index >= pages.length) {
          return;
        }
      } else if (part == PAGE) {
        pages[index] = null;
      } else {
        Arrays.fill(page, within, within + part, (byte) 0);
      }
      at += part;
    }
  }

  /** Changes the byte at {@code offset} by exclusive or. */
  void flip(long offset, int bits) {
    page((int) (offset / PAGE))[(int) (offset % PAGE)] ^= (byte) bits;
  }

  Pages copy() {
    var copy = new Pages();
    copy.pages = Arrays.copyOf(pages, pages.length);
    for (int i = 0; i < pages.length; i++) {
      byte[] page = pages[i];
      if (page != null) {
        copy.pages[i] = page.clone();
      }
    }
    return copy;
  }

  private byte[] page(int index) {
    if (index >= pages.length) {
      pages = Arrays.copyOf(pages, Math.max(index + 1, pages.length * 2));
    }
    byte[] page = pages[index];
    if (page == null) {
      page = new byte[PAGE];
      pages[index] = page;
    }
    return page;
  }
}
