/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "model/plant.h"
#include "tests/unit/run_suite.h"

#include <math.h>

/* --- Chain -------------------------------------------------------------- */

START_TEST(polynomial_loss_by_hand)
{
    struct dcp_stage ups = { .kind = DCP_STAGE_UPS,
                             .rated_w = 100000,
                             .units = 1,
                             .fixed_frac = 0.02,
                             .linear_frac = 0.01,
                             .square_frac = 0.03 };

    ck_assert_double_eq_tol(dcp_stage_loss_w(&ups, 0), 2000, 1e-9);
    ck_assert_double_eq_tol(dcp_stage_loss_w(&ups, 50000), 2000 + 500 + 750,
                            1e-9);
    ck_assert_double_eq_tol(dcp_stage_loss_w(&ups, 100000), 6000, 1e-9);
    /* Two that share: each at a quarter; the fixed loss is there twice. */
    ups.units = 2;
    ck_assert_double_eq_tol(dcp_stage_loss_w(&ups, 50000),
                            2 * (2000 + 250 + 187.5), 1e-9);
}
END_TEST

START_TEST(points_give_back_their_efficiencies)
{
    static const double load[] = { 0.2, 0.5, 1 },
                        efficiency[] = { 0.85, 0.95, 0.98 };
    struct dcp_stage s = { .rated_w = 1000, .units = 1 };

    for (int i = 0; i < 3; i++) {
        dcp_stage_add_point(&s, load[i], efficiency[i]);
    }
    ck_assert(dcp_stage_rises(&s));
    for (int i = 0; i < 3; i++) {
        double out_w = 1000 * load[i];

        ck_assert_double_eq_tol(out_w / (out_w + dcp_stage_loss_w(&s, out_w)),
                                efficiency[i], 1e-12);
    }
    /* Flat below the first point, halfway between two, on above the last. */
    double low = 200 / 0.85 - 200, middle = 500 / 0.95 - 500,
           high = 1000 / 0.98 - 1000;

    ck_assert_double_eq_tol(dcp_stage_loss_w(&s, 0), low, 1e-9);
    ck_assert_double_eq_tol(dcp_stage_loss_w(&s, 350), (low + middle) / 2,
                            1e-9);
    ck_assert_double_eq_tol(dcp_stage_loss_w(&s, 1250),
                            high + (high - middle) / 2, 1e-9);
    /* 10 W in at load 1 %, 9.9 W in at 1.1 %. */
    struct dcp_stage falls = { .rated_w = 1000, .units = 1 };

    dcp_stage_add_point(&falls, 0.5, 0.4);
    dcp_stage_add_point(&falls, 0.6, 0.9);
    ck_assert(!dcp_stage_rises(&falls));
}
END_TEST

START_TEST(chain_adds_up_from_the_machines_to_the_meter)
{
    struct dcp_chain c = { .n_stages = 3, .psu_measured_frac = 0.9 };

    c.stages[0] = (struct dcp_stage){
        .kind = DCP_STAGE_UPS, .rated_w = 1000, .units = 1, .fixed_frac = 0.1
    };
    c.stages[1] = (struct dcp_stage){
        .kind = DCP_STAGE_PDU, .rated_w = 1000, .units = 1, .linear_frac = 0.02
    };
    c.stages[2] = (struct dcp_stage){
        .kind = DCP_STAGE_PSU, .rated_w = 1000, .units = 1, .linear_frac = 0.05
    };
    /* 500 W measured: 450 W behind the supplies; 472.5 before the new ones,
     * 481.95 before the PDU, 581.95 before the UPS. */
    struct dcp_chain_power p = dcp_chain_power(&c, 500);

    ck_assert_double_eq_tol(p.input_w, 581.95, 1e-9);
    ck_assert_double_eq_tol(p.loss_w[DCP_STAGE_PSU], -27.5, 1e-9);
    ck_assert_double_eq_tol(p.loss_w[DCP_STAGE_PDU], 9.45, 1e-9);
    ck_assert_double_eq_tol(p.loss_w[DCP_STAGE_UPS], 100, 1e-9);
    ck_assert(!p.over_rated);
    ck_assert(dcp_chain_power(&c, 1100).over_rated);
}
END_TEST

/* Share of what is behind the supplies in what the chain takes in. */
static double
efficiency(enum dcp_chain_preset preset, double load_frac)
{
    struct dcp_chain c;

    dcp_chain_of_preset(preset, 1e6, 1, &c);
    c.psu_measured_frac = 1;
    return load_frac * 1e6 / dcp_chain_power(&c, load_frac * 1e6).input_w;
}

/* APC White Paper 127: the best of both kinds are virtually the same. */
START_TEST(best_ac_and_dc_chains_differ_by_under_one_percent)
{
    double ac = efficiency(DCP_CHAIN_AC_400, 0.5),
           dc = efficiency(DCP_CHAIN_DC_380, 0.5);

    ck_assert_double_eq_tol(dc / ac, 1, 0.01);
    ck_assert_double_ge(dc, ac);
    ck_assert_double_eq_tol(ac, 0.92, 0.01);
    /* And the older chain loses more, most of all at low load. */
    double old = efficiency(DCP_CHAIN_AC_PDU, 0.5);

    ck_assert_double_lt(old, ac - 0.05);
    ck_assert_double_lt(efficiency(DCP_CHAIN_AC_PDU, 0.1), old - 0.1);
}
END_TEST

/* --- Cooling ------------------------------------------------------------ */

START_TEST(chiller_follows_the_published_curve)
{
    static const double t[] = { 15, 20, 25, 27 },
                        cop[] = { 2.00, 3.19, 4.73, 5.44 };

    for (int i = 0; i < 4; i++) {
        struct dcp_cooling c = { .supply_c = t[i], .rise_k = 12 };

        ck_assert_double_eq_tol(dcp_cooling_cop(&c), cop[i], 0.005);
        ck_assert_double_eq_tol(dcp_cooling_power(&c, 1000, NAN).chiller_w,
                                1000 / dcp_cooling_cop(&c), 1e-9);
    }
}
END_TEST

START_TEST(free_cooling_is_whole_partial_or_none)
{
    struct dcp_cooling c = {
        .supply_c = 20, .rise_k = 10, .approach_k = 5, .cop = 4
    };

    ck_assert_double_eq(dcp_cooling_power(&c, 800, 15).chiller_w, 0);
    ck_assert_double_eq(dcp_cooling_power(&c, 800, -30).chiller_w, 0);
    ck_assert_double_eq_tol(dcp_cooling_power(&c, 800, 20).free_frac, 0.5,
                            1e-12);
    ck_assert_double_eq_tol(dcp_cooling_power(&c, 800, 20).chiller_w, 100,
                            1e-9);
    ck_assert_double_eq_tol(dcp_cooling_power(&c, 800, 25).chiller_w, 200,
                            1e-9);
    ck_assert_double_eq_tol(dcp_cooling_power(&c, 800, NAN).chiller_w, 200,
                            1e-9);
}
END_TEST

START_TEST(fans_are_cubic_and_their_heat_is_cooled)
{
    struct dcp_cooling c = { .supply_c = 20,
                             .rise_k = 10,
                             .cop = 4,
                             .fan_w = 800,
                             .fan_heat_w = 10000,
                             .fan_flow_min_frac = 0.4 };

    ck_assert_double_eq_tol(dcp_cooling_power(&c, 5000, NAN).fans_w, 100, 1e-9);
    ck_assert_double_eq_tol(dcp_cooling_power(&c, 5000, NAN).chiller_w,
                            5100 / 4.0, 1e-9);
    ck_assert_double_eq_tol(dcp_cooling_power(&c, 0, NAN).fans_w, 51.2, 1e-9);
}
END_TEST

/* --- All of it ---------------------------------------------------------- */

static double
sum(const struct dcp_plant_power *p, double it_w)
{
    double sum_w = it_w;

    for (int k = 0; k < DCP_STAGE_KINDS; k++) {
        sum_w += p->chain.loss_w[k];
    }
    return sum_w + p->cooling.chiller_w + p->cooling.fans_w + p->fixed_w;
}

static double
between(struct dcp_rng *rng, double low, double high)
{
    return low + (high - low) * dcp_rng_unit(rng);
}

static void
random_plant(struct dcp_rng *rng, struct dcp_plant *out)
{
    *out = (struct dcp_plant){ .has_cooling = true, .outside_c = NAN };
    dcp_chain_of_preset((enum dcp_chain_preset)dcp_rng_below(rng, 3),
                        between(rng, 1e5, 1e6),
                        1 + (uint32_t)dcp_rng_below(rng, 2), &out->chain);
    out->fixed_w = between(rng, 0, 5000);
    out->cooling = (struct dcp_cooling){
        .supply_c = between(rng, 15, 30),
        .rise_k = between(rng, 5, 20),
        .approach_k = between(rng, 0, 10),
        .fan_w = between(rng, 0, 2e4),
        .fan_heat_w = between(rng, 1e5, 1e6),
        .fan_flow_min_frac = between(rng, 0, 1),
    };
}

START_TEST(parts_sum_to_the_meter_and_more_load_never_draws_less)
{
    struct dcp_rng rng = dcp_rng_stream(1, "plant", 0);

    for (int n = 0; n < 200; n++) {
        struct dcp_plant plant;
        double before_w = 0, outside_c = between(&rng, -10, 40);

        random_plant(&rng, &plant);
        for (int i = 0; i <= 50; i++) {
            double it_w = i * 2e4;
            struct dcp_plant_power p = dcp_plant_power(&plant, it_w, outside_c);

            ck_assert_double_eq_tol(sum(&p, it_w), p.meter_w,
                                    1e-9 * (1 + p.meter_w));
            ck_assert_double_ge(p.meter_w, before_w);
            ck_assert_double_ge(p.meter_w, p.machines_w);
            /* Nor does a warmer day. */
            ck_assert_double_ge(
                dcp_plant_power(&plant, it_w, outside_c + 3).meter_w,
                p.meter_w - 1e-9);
            before_w = p.meter_w;
        }
    }
}
END_TEST

START_TEST(a_saved_watt_saves_less_than_the_average)
{
    struct dcp_plant plant = { .has_cooling = true,
                               .cooling = { .supply_c = 22, .rise_k = 12 },
                               .fixed_w = 4000,
                               .outside_c = NAN };
    double average, marginal;

    dcp_chain_of_preset(DCP_CHAIN_AC_PDU, 200000, 2, &plant.chain);
    dcp_plant_pue_near(&plant, 60000, &average, &marginal);
    ck_assert_double_gt(average, marginal + 0.1);
    ck_assert_double_eq_tol(marginal * 6000,
                            dcp_plant_power(&plant, 60000, NAN).meter_w -
                                dcp_plant_power(&plant, 54000, NAN).meter_w,
                            1e-6);
    dcp_plant_pue_near(&plant, 0, &average, &marginal);
    ck_assert_double_eq(average, 1);
    ck_assert_double_eq(marginal, 1);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &polynomial_loss_by_hand,
        &points_give_back_their_efficiencies,
        &chain_adds_up_from_the_machines_to_the_meter,
        &best_ac_and_dc_chains_differ_by_under_one_percent,
        &chiller_follows_the_published_curve,
        &free_cooling_is_whole_partial_or_none,
        &fans_are_cubic_and_their_heat_is_cooled,
        &parts_sum_to_the_meter_and_more_load_never_draws_less,
        &a_saved_watt_saves_less_than_the_average,
    };

    return RUN_TESTS("plant", tests);
}
