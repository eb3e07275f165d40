#include "backend/cpu/matmul.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

#include "base/error.h"
#include "gamut/tensor.h"

namespace gamut::cpu {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// How C is cut: `columns` and `rows` per tile.
struct Partition {
  int64_t rows = 0, columns = 0;
  int64_t row_tiles = 0, column_tiles = 0;
};

// Below this many multiply-adds a tile costs less than handing it to another thread.
constexpr int64_t kSmallestTile = 1 << 16;

/// Tiles reuse a block of A over their columns, so they are as wide as the number of tiles per thread allows. Few rows
/// (a weight is streamed once) leave only columns to cut.
Partition cut(const MatmulKernel& kernel, const MatmulArgs& args, int64_t matrices, int workers) {
  Partition p;
  const int64_t panels = ceil_div(args.n, kernel.nr);
  const int64_t row_tiles = ceil_div(args.m, kernel.block_m);
  p.rows = ceil_div(ceil_div(args.m, row_tiles), kernel.mr) * kernel.mr;
  p.row_tiles = ceil_div(args.m, p.rows);
  const int64_t tile_panels_least = std::max<int64_t>(
      1, ceil_div(kSmallestTile, std::max<int64_t>(1, std::min(args.m, p.rows) * kernel.nr * args.k)));
  // Several tiles per thread even out threads of unequal speed.
  const int64_t wanted = workers == 1 ? 1 : workers * int64_t{6};
  const int64_t cuts = std::clamp<int64_t>(ceil_div(wanted, std::max<int64_t>(1, p.row_tiles * matrices)), 1, panels);
  const int64_t tile_panels = std::max(ceil_div(panels, cuts), std::min(tile_panels_least, panels));
  p.columns = tile_panels * kernel.nr;
  p.column_tiles = ceil_div(panels, tile_panels);
  return p;
}

size_t worker_scratch(const MatmulKernel& kernel) { return (kernel.scratch_bytes + 63) / 64 * 64; }

}  // namespace

size_t matmul_scratch_bytes(const MatmulKernel& kernel, int workers) {
  return worker_scratch(kernel) * static_cast<size_t>(workers);
}

void pack_weight(ThreadPool& pool, const MatmulKernel& kernel, const PackArgs& args) {
  const int64_t panels = ceil_div(args.n, kernel.nr);
  const int64_t grain = std::max<int64_t>(1, kSmallestTile / std::max<int64_t>(1, args.k * kernel.nr));
  pool.run_ranges(panels, grain, [&](int64_t begin, int64_t end) { kernel.pack(args, begin, end); });
}

int64_t pack_weight(ThreadPool& pool, const MatmulKernel& kernel, const PackArgs& args, RowReader read) {
  // A piece stays in the core's own cache between being read and being packed.
  constexpr int64_t kPieceBytes = 256 << 10;
  const int64_t row_bytes = args.k * (args.type == Source::kF32 ? 4 : 2);
  const int64_t panel_rows = kernel.nr, panels = ceil_div(args.n, panel_rows);
  const int64_t piece_panels = std::max<int64_t>(1, kPieceBytes / std::max<int64_t>(1, row_bytes * panel_rows));
  const int64_t piece_rows = std::min(piece_panels * panel_rows, args.n);
  const int64_t buffer_bytes = ceil_div(std::max<int64_t>(1, piece_rows * row_bytes), 64) * 64;
  Tensor buffers = Tensor::allocate(DType::kU8, {pool.size(), buffer_bytes});
  std::atomic<int64_t> unread{-1};
  pool.run(ceil_div(panels, piece_panels), [&](int64_t piece, int worker) {
    const int64_t row = piece * piece_panels * panel_rows, end = std::min(args.n, row + piece_rows);
    char* buffer = static_cast<char*>(buffers.mutable_data()) + worker * buffer_bytes;
    if (unread.load(std::memory_order_relaxed) >= 0) return;
    if (!read(row, end, buffer)) return unread.store(end - 1, std::memory_order_relaxed);
    PackArgs part{.n = end - row, .k = args.k, .data = buffer, .type = args.type, .n_stride = args.k, .k_stride = 1};
    part.packed = static_cast<char*>(args.packed) + kernel.packed_bytes(row, args.k);
    kernel.pack(part, 0, ceil_div(part.n, panel_rows));
  });
  return unread;
}

void matmul(ThreadPool& pool, const MatmulKernel& kernel, const MatmulArgs& args, void* scratch) {
  matmul(pool, kernel, std::span(&args, 1), scratch);
}

void matmul(ThreadPool& pool, const MatmulKernel& kernel, std::span<const MatmulArgs> products, void* scratch) {
  // The columns of all products side by side, each product beginning with a panel.
  MatmulArgs joined = products[0];
  joined.n = 0;
  for (const MatmulArgs& product : products) joined.n += ceil_div(product.n, kernel.nr) * kernel.nr;
  if (joined.m <= 0 || joined.n <= 0) return;
  const Partition p = cut(kernel, joined, 1, pool.size());
  std::array<int64_t, ThreadPool::kMaxThreads> row_before;  // by worker
  std::fill_n(row_before.begin(), pool.size(), -1);
  pool.run(p.row_tiles * p.column_tiles, [&](int64_t task, int worker) {
    // Row tiles of the same columns follow each other: the threads then share panels of w in the common cache.
    const int64_t row = task % p.row_tiles, begin = task / p.row_tiles * p.columns, end = begin + p.columns;
    void* own = static_cast<char*>(scratch) + worker_scratch(kernel) * static_cast<size_t>(worker);
    int64_t first = 0;  // column of the product
    for (const MatmulArgs& product : products) {
      MatmulTile tile{.m0 = row * p.rows, .m1 = std::min(product.m, (row + 1) * p.rows)};
      tile.n0 = std::max<int64_t>(0, begin - first), tile.n1 = std::min(product.n, end - first);
      first += ceil_div(product.n, kernel.nr) * kernel.nr;
      if (tile.n0 >= tile.n1) continue;
      tile.same_rows = row_before[worker] == row;
      kernel.run(product, tile, own);
      row_before[worker] = row;
    }
  });
}

void gated_matmul(ThreadPool& pool, const MatmulKernel& kernel, const MatmulArgs& gate, const MatmulArgs& up,
                  void* scratch) {
  MatmulArgs first = gate, second = up;
  first.c = up.c, first.c_stride = up.c_stride;
  second.epilogue.residual = up.c, second.epilogue.residual_stride = up.c_stride;
  second.epilogue.residual_multiplies = true;
  share_tiles(pool, kernel, std::span(&first, 1), scratch, [&](size_t, const MatmulTile& tile, void* own) {
    // So narrow that the gate is still in the core's cache when up meets it there; few rows always are.
    const int64_t columns = tile.m1 - tile.m0 <= kernel.mr ? tile.n1 - tile.n0 : 4 * kernel.nr;
    for (int64_t n = tile.n0; n < tile.n1; n += columns) {
      MatmulTile part = tile;
      part.n0 = n, part.n1 = std::min(tile.n1, n + columns);
      part.same_rows = tile.same_rows || n > tile.n0;
      kernel.run(first, part, own);
      part.same_rows = true;
      kernel.run(second, part, own);
    }
  });
}

void batched_matmul(ThreadPool& pool, const MatmulKernel& kernel, const MatmulArgs& args, const MatmulBatch& batch,
                    void* scratch) {
  const int64_t matrices = batch.outer * batch.inner;
  if (args.m <= 0 || args.n <= 0 || matrices <= 0) return;
  const Partition p = cut(kernel, args, matrices, pool.size());
  const int64_t tiles = p.row_tiles * p.column_tiles;
  std::array<int64_t, ThreadPool::kMaxThreads> rows_before;  // by worker
  std::fill_n(rows_before.begin(), pool.size(), -1);
  pool.run(matrices * tiles, [&](int64_t task, int worker) {
    const int64_t matrix = task / tiles, tile = task % tiles;
    const int64_t outer = matrix / batch.inner, inner = matrix % batch.inner;
    MatmulArgs one = args;
    one.a += outer * batch.a_outer + inner * batch.a_inner;
    if (one.w != nullptr) one.w += outer * batch.w_outer + inner * batch.w_inner;
    one.c += outer * batch.c_outer + inner * batch.c_inner;
    if (one.epilogue.residual != nullptr) {
      one.epilogue.residual += outer * batch.residual_outer + inner * batch.residual_inner;
    }
    // Row tiles of the same columns follow each other: the threads then share panels of w in the common cache.
    const int64_t row = tile % p.row_tiles, column = tile / p.row_tiles;
    const MatmulTile t{.m0 = row * p.rows,
                       .m1 = std::min(args.m, (row + 1) * p.rows),
                       .n0 = column * p.columns,
                       .n1 = std::min(args.n, (column + 1) * p.columns),
                       .same_rows = rows_before[worker] == matrix * p.row_tiles + row};
    rows_before[worker] = matrix * p.row_tiles + row;
    kernel.run(one, t, static_cast<char*>(scratch) + worker_scratch(kernel) * static_cast<size_t>(worker));
  });
}

void share_tiles(ThreadPool& pool, const MatmulKernel& kernel, std::span<const MatmulArgs> products, void* scratch,
                 TileWork work) {
  struct Share {
    Partition partition;
    int64_t first_task;
  };
  std::vector<Share> shares;
  int64_t tasks = 0;
  for (const MatmulArgs& product : products) {
    if (product.m <= 0 || product.n <= 0) continue;
    const Partition p = cut(kernel, product, static_cast<int64_t>(products.size()), pool.size());
    shares.push_back({p, tasks});
    tasks += p.row_tiles * p.column_tiles;
  }
  check_internal(tasks == 0 || shares.size() == products.size(), "matmul: a product without rows among others");
  std::array<int64_t, ThreadPool::kMaxThreads> rows_before;  // by worker: the first task of the rows
  std::fill_n(rows_before.begin(), pool.size(), -1);
  pool.run(tasks, [&](int64_t task, int worker) {
    const auto next = std::ranges::upper_bound(shares, task, {}, &Share::first_task);
    const Share& share = *(next - 1);
    const Partition& p = share.partition;
    const auto index = static_cast<size_t>(next - shares.begin()) - 1;
    // Row tiles of the same columns follow each other, as above.
    const int64_t tile = task - share.first_task, row = tile % p.row_tiles, column = tile / p.row_tiles;
    const MatmulTile t{.m0 = row * p.rows,
                       .m1 = std::min(products[index].m, (row + 1) * p.rows),
                       .n0 = column * p.columns,
                       .n1 = std::min(products[index].n, (column + 1) * p.columns),
                       .same_rows = rows_before[worker] == share.first_task + row};
    rows_before[worker] = share.first_task + row;
    work(index, t, static_cast<char*>(scratch) + worker_scratch(kernel) * static_cast<size_t>(worker));
  });
}

}  // namespace gamut::cpu
