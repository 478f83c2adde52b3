"""Statistics and table of bench/peers, by hand-made numbers."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'bench', 'peers'))
sys.dont_write_bytecode = True
import table


class Table(unittest.TestCase):
    def row(self, peer, peer_ms, found=None):
        turns = [(2.0, 1.0, peer_ms), (4.0, 1.0, 2 * peer_ms), (2.0, 1.0, 3 * peer_ms)]
        return table.summary('fc', peer, found or {}, turns, (30.0, 110.0, 10.0))

    def test_quantile(self):
        values = [5.0, 1.0, 4.0, 2.0, 3.0]
        self.assertEqual(table.quantile(values, 0.5), 3)
        self.assertEqual(table.quantile(values, 0), 1)
        self.assertEqual(table.quantile(values, 1), 5)
        self.assertAlmostEqual(table.quantile(values, 0.1), 1.4)
        self.assertEqual(table.quantile([1.0, 2.0], 0.5), 1.5)
        self.assertEqual(table.quantile([7.0], 0.9), 7)
        self.assertEqual(values, [5.0, 1.0, 4.0, 2.0, 3.0])

    def test_pairs(self):
        row = self.row('a', 10.0) # 10/2, 20/4, 30/2: not the ratio of the medians
        self.assertEqual(row['ratio'], {'median': 5, 'p10': 5, 'p90': 13})
        self.assertEqual(row['ours_ms']['median'], 2)
        self.assertEqual(row['over_floor']['median'], 2)
        self.assertEqual(row['memory_ratio'], 100 / 20)

    def test_unequal(self):
        self.assertEqual(table.unequal({}), '')
        self.assertEqual(table.unequal({'differ': 1e-4, 'gradient': 1e-3}), '')
        self.assertIn('NOT EQUAL', table.unequal({'differ': 1.1e-4, 'gradient': 0}))
        self.assertIn('NOT EQUAL', table.unequal({'differ': 0, 'gradient': 1.1e-3}))
        self.assertIn('NOT EQUAL', table.unequal({'differ': float('nan'), 'gradient': 0}))

    def test_markdown(self):
        equal = {'differ': 0.0, 'gradient': 2e-6}
        rows = [self.row('slow', 20.0, equal), self.row('fast', 10.0, equal),
                {'task': 'fc', 'peer': 'wrong', 'ratio': None, 'note': 'NOT EQUAL'}, table.alone('conv', [(8.0, 2.0, 0)], 5.0)]
        text = table.markdown(rows, {'machine': 'M'}, 'make')
        lines = text.splitlines()
        self.assertIn('| fc | slow | 2 | 40 | 10 (10 to 26) | 1 | 2 | 30 | 110 | spikes 0.0e+00, gradients 2.0e-06 |', lines)
        self.assertTrue([x for x in lines if x.startswith('| **fc** | fast | 2 | 20 ')])
        self.assertTrue([x for x in lines if x.startswith('| fc | wrong | – ') and x.endswith('| NOT EQUAL |')])
        self.assertTrue([x for x in lines if x.startswith('| conv | – | 8 | – | – | 2 | 4 | 5 | – | ')])
        self.assertEqual(len({x.count('|') for x in lines if x.startswith('|')}), 1)

    def test_makers(self):
        self.assertEqual(table.maker('fc-rate', 'torch-best'), 'fc_best')
        self.assertEqual(table.maker('layer-1024-5', 'spikingjelly'), 'layer_spikingjelly')
        with open(os.path.join(os.path.dirname(table.__file__), 'tasks.py')) as file:
            text = file.read()
        for task, (peers, *_) in table.TASKS.items():
            for peer in peers:
                self.assertIn('def %s(' % table.maker(task, peer), text)


if __name__ == '__main__':
    unittest.main()
